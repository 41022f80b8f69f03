using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Access;

/// <summary>
/// A resource before the check on what leaves. Most predicates ask whose it is and whether it carries labels; that is read from its bytes, up to the place that says so. A tree
/// of each resource of a page of fifty would be a quarter of the whole search (docs/performance.md), and is made only for predicates that need one.
/// </summary>
internal sealed class JudgedResource
{
    private readonly ReadOnlyMemory<byte> _body;
    private readonly string? _serverBase;
    private JsonTree? _tree;
    private bool _isGlanced;
    private string? _owner;
    private bool _hasLabels;

    public JudgedResource(string type, JsonTree tree, string? serverBase) => (Type, _tree, _serverBase) = (type, tree, serverBase);

    public JudgedResource(string type, ReadOnlyMemory<byte> body, string? serverBase) => (Type, _body, _serverBase) = (type, body, serverBase);

    public string Type { get; }

    public JsonTree Tree => _tree ??= JsonTree.Parse(_body).Require();

    /// <summary>As <see cref="PatientCompartment.OwnerOf"/> has it.</summary>
    public string? Owner
    {
        get
        {
            Glance();
            return _owner;
        }
    }

    /// <summary>False when the resource certainly has no value for the parameter.</summary>
    public bool MayHave(string parameter)
    {
        if (parameter is not ("_security" or "_tag"))
        {
            return true;
        }

        Glance();
        return _hasLabels;
    }

    private void Glance()
    {
        if (_isGlanced)
        {
            return;
        }

        _isGlanced = true;
        if (_tree is not null || Type == "Provenance")
        {
            var meta = Tree.Root["meta"u8];
            _owner = PatientCompartment.OwnerOf(Type, Tree.Root, _serverBase);
            _hasLabels = meta["security"u8].Exists || meta["tag"u8].Exists;
        }
        else
        {
            Glance(new Utf8JsonReader(_body.Span), PatientCompartment.SubjectElementOf(Type));
        }
    }

    // The server writes id and meta first, so the reading mostly ends at the subject; whatever the order, nothing is taken for granted.
    private void Glance(Utf8JsonReader reader, string? element)
    {
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
                _hasLabels = ReadMembers(ref reader, "security"u8, "tag"u8, out _);
            }
            else if (element is { Length: 0 } && reader.ValueSpan.SequenceEqual("id"u8))
            {
                sawOwner = reader.Read();
                _owner = reader.GetString();
            }
            else if (reader.ValueSpan.SequenceEqual(name))
            {
                sawOwner = true;
                ReadMembers(ref reader, "reference"u8, "reference"u8, out var reference);
                _owner = PatientCompartment.Referred(reference, _serverBase) is (Type: "Patient", var id) ? id : null;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
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
