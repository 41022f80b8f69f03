using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>Reads whose a resource is and whether it carries labels, from its bytes up to the place that says so: a tree of each resource of a page of fifty would be a quarter of the whole search (docs/performance.md).</summary>
public static class Glances
{
    // As deep as what is stored may be: the reader's own limit is half of that.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = JsonLimits.Default.MaxDepth };

    /// <summary>Read once for each version that is kept in memory.</summary>
    /// <param name="serverBase">With a slash at its end: an absolute reference below it is a relative one.</param>
    public static ResourceGlance Of(StoredResource stored, string? serverBase) => stored.Glance ??= Of(stored.Type, stored.Body, serverBase);

    internal static ResourceGlance Of(string type, JsonTree tree, string? serverBase)
    {
        var meta = tree.Root["meta"u8];
        return new ResourceGlance(PatientCompartment.OwnerOf(type, tree.Root, serverBase), meta["security"u8].Exists || meta["tag"u8].Exists);
    }

    // The patient of a Provenance stands in an extension among others.
    private static ResourceGlance Of(string type, ReadOnlyMemory<byte> body, string? serverBase) =>
        body.IsEmpty ? new ResourceGlance(null, HasLabels: false)
        : type == "Provenance" ? Of(type, JsonTree.Parse(body).Require(), serverBase)
        : OfBytes(new Utf8JsonReader(body.Span, Options), PatientCompartment.SubjectElementOf(type), serverBase);

    // The server writes id and meta first, so the reading mostly ends at the subject; whatever the order, nothing is taken for granted.
    private static ResourceGlance OfBytes(Utf8JsonReader reader, string? element, string? serverBase)
    {
        var (owner, hasLabels) = ((string?)null, false);

        // Names as they are written: one with escapes in it is another name to the tree too.
        Span<byte> buffer = stackalloc byte[32];
        ReadOnlySpan<byte> name = element is { Length: > 0 } ? buffer[..System.Text.Encoding.UTF8.GetBytes(element, buffer)] : "\0"u8;
        var (sawMeta, sawOwner) = (false, element is null);
        reader.Read();
        while (!(sawMeta && sawOwner) && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueSpan.SequenceEqual("meta"u8))
            {
                sawMeta = true;
                hasLabels = ReadMembers(ref reader, "security"u8, "tag"u8, out _);
            }
            else if (element is { Length: 0 } && reader.ValueSpan.SequenceEqual("id"u8))
            {
                sawOwner = reader.Read();
                owner = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
            else if (reader.ValueSpan.SequenceEqual(name))
            {
                sawOwner = true;
                ReadMembers(ref reader, "reference"u8, "reference"u8, out var reference);
                owner = PatientCompartment.Referred(reference, serverBase) is (Type: "Patient", var id) ? id : null;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return new ResourceGlance(owner, hasLabels);
    }

    // Reads an object to its end; tells whether it has one of two members, and the text of the last of them that is one.
    private static bool ReadMembers(ref Utf8JsonReader reader, ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, out string? text)
    {
        var found = false;
        text = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isOne = reader.ValueSpan.SequenceEqual(one) || reader.ValueSpan.SequenceEqual(other);
            found |= isOne;
            reader.Read();
            text = isOne && reader.TokenType == JsonTokenType.String ? reader.GetString() : text;
            reader.Skip();
        }

        return found;
    }
}
