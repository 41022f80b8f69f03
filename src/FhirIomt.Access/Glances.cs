using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>Reads whose a resource is and whether it carries labels, from its bytes up to the place that says so: a tree of each resource of a page of fifty would be a quarter of the whole search (docs/performance.md).</summary>
public static class Glances
{
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
        : OfBytes(body.Span, PatientCompartment.SubjectElementOf(type), serverBase);

    // The server writes id and meta first, so the walk mostly ends at the subject; whatever the order, nothing is taken for granted.
    private static ResourceGlance OfBytes(ReadOnlySpan<byte> json, string? element, string? serverBase)
    {
        var (owner, hasLabels) = ((string?)null, false);

        // Names as they are written: one with escapes in it is another name to the tree too.
        Span<byte> buffer = stackalloc byte[32];
        ReadOnlySpan<byte> name = element is { Length: > 0 } ? buffer[..Encoding.UTF8.GetBytes(element, buffer)] : "\0"u8;
        var (sawMeta, sawOwner) = (false, element is null);
        var skim = new JsonSkim(json);
        skim.EnterObject();
        while (!(sawMeta && sawOwner) && skim.NextMember(out var member))
        {
            if (member.SequenceEqual("meta"u8))
            {
                sawMeta = true;
                hasLabels = HasLabels(ref skim);
            }
            else if (element is { Length: 0 } && member.SequenceEqual("id"u8))
            {
                sawOwner = true;
                owner = JsonSkim.TextOf(skim.Pass());
            }
            else if (member.SequenceEqual(name))
            {
                sawOwner = true;
                owner = PatientOf(ReferenceOf(ref skim), serverBase);
            }
            else
            {
                skim.Pass();
            }
        }

        return new ResourceGlance(owner, hasLabels);
    }

    private static bool HasLabels(ref JsonSkim skim)
    {
        var found = false;
        if (!skim.EnterObject())
        {
            skim.Pass();
            return false;
        }

        while (skim.NextMember(out var member))
        {
            found |= member.SequenceEqual("security"u8) || member.SequenceEqual("tag"u8);
            skim.Pass();
        }

        return found;
    }

    private static ReadOnlySpan<byte> ReferenceOf(ref JsonSkim skim)
    {
        ReadOnlySpan<byte> reference = default;
        if (!skim.EnterObject())
        {
            skim.Pass();
            return reference;
        }

        while (skim.NextMember(out var member))
        {
            var value = skim.Pass();
            reference = member.SequenceEqual("reference"u8) ? value : reference;
        }

        return reference;
    }

    // As most references to patients are written, one string is made and not four.
    private static string? PatientOf(ReadOnlySpan<byte> reference, string? serverBase)
    {
        var start = "\"Patient/"u8;
        return reference.StartsWith(start) && reference.Length > start.Length + 1 && reference[start.Length..^1] is var id && id.IndexOfAny((byte)'/', (byte)'\\') < 0 ? Encoding.UTF8.GetString(id)
            : PatientCompartment.Referred(JsonSkim.TextOf(reference), serverBase) is (Type: "Patient", var other) ? other
            : null;
    }
}
