using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>One member of an object that is being changed.</summary>
internal readonly record struct EditMember(string Name, EditNode Value);

/// <summary>
/// A JSON value that may be changed. What is not touched stays the bytes it was; an object or array is opened only on the way to a change.
/// </summary>
internal sealed class EditNode
{
    private readonly ResourceNode _source;
    private List<EditMember>? _members;
    private List<EditNode>? _items;

    public EditNode(ResourceNode source) => _source = source;

    private EditNode(List<EditMember>? members, List<EditNode>? items)
    {
        _members = members;
        _items = items;
    }

    public bool IsObject => _members is not null || _source.IsObject;

    public bool IsNull => _members is null && _items is null && _source is { Exists: true, Kind: NodeKind.Null };

    public bool IsArray => _items is not null || _source.IsArray;

    /// <summary>The members of an object, to be changed.</summary>
    public List<EditMember> Members => _members ??= Open(_source);

    /// <summary>The elements of an array, to be changed.</summary>
    public List<EditNode> Items => _items ??= OpenItems(_source);

    public static EditNode NewObject() => new([], items: null);

    public static EditNode NewArray() => new(members: null, []);

    public EditNode? Find(string name)
    {
        var index = IndexOf(name);
        return index < 0 ? null : Members[index].Value;
    }

    public int IndexOf(string name) => Members.FindIndex(member => member.Name == name);

    /// <summary>Puts a member where one of that name is, or at the end.</summary>
    public void Set(string name, EditNode value)
    {
        var index = IndexOf(name);
        if (index >= 0)
        {
            Members[index] = new EditMember(name, value);
        }
        else
        {
            Members.Add(new EditMember(name, value));
        }
    }

    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>(1024);
        Write(output);
        return output.WrittenSpan.ToArray();
    }

    private void Write(IBufferWriter<byte> output)
    {
        if (_members is not null)
        {
            output.Write("{"u8);
            for (var index = 0; index < _members.Count; index++)
            {
                output.Write(index == 0 ? "\""u8 : ",\""u8);
                output.Write(JsonEncodedText.Encode(_members[index].Name, JsonText.Options.Encoder).EncodedUtf8Bytes);
                output.Write("\":"u8);
                _members[index].Value.Write(output);
            }

            output.Write("}"u8);
        }
        else if (_items is not null)
        {
            output.Write("["u8);
            for (var index = 0; index < _items.Count; index++)
            {
                output.Write(index == 0 ? ""u8 : ","u8);
                _items[index].Write(output);
            }

            output.Write("]"u8);
        }
        else
        {
            output.Write(_source.RawSpan);
        }
    }

    private static List<EditMember> Open(ResourceNode source)
    {
        var members = new List<EditMember>(source.Count + 1);
        foreach (var child in source.Children)
        {
            var name = child.NameSpan;
            members.Add(new EditMember(name.Contains((byte)'\\') ? JsonTree.Unescape(name) : child.Name, new EditNode(child)));
        }

        return members;
    }

    private static List<EditNode> OpenItems(ResourceNode source)
    {
        var items = new List<EditNode>(source.Count + 1);
        foreach (var child in source.Children)
        {
            items.Add(new EditNode(child));
        }

        return items;
    }
}
