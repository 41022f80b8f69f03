using System.Buffers.Binary;
using System.Text;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Writes what DefinitionBook reads: a string table and a body of variable-length integers.</summary>
internal sealed class BookWriter
{
    private readonly Dictionary<string, int> _strings = new(StringComparer.Ordinal);
    private readonly List<string> _inOrder = [];
    private readonly List<byte> _body = [];
    private int _directory = -1;

    public int Offset => _body.Count;

    public void Int(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        for (; value >= 0x80; value >>= 7)
        {
            _body.Add((byte)(value | 0x80));
        }

        _body.Add((byte)value);
    }

    public void OptionalInt(int? value) => Int(value + 1 ?? 0);

    public void Text(string text) => Int(Number(text));

    public void OptionalText(string? text) => Int(text is null ? 0 : Number(text) + 1);

    public void Texts(IReadOnlyCollection<string> texts)
    {
        Int(texts.Count);
        foreach (var text in texts)
        {
            Text(text);
        }
    }

    public void StartDirectory() => _directory = Offset;

    public byte[] ToBytes()
    {
        var head = new BookWriter();
        head.Int(_inOrder.Count);
        var text = new List<byte>();
        foreach (var entry in _inOrder)
        {
            var utf8 = Encoding.UTF8.GetBytes(entry);
            head.Int(utf8.Length);
            text.AddRange(utf8);
        }

        var end = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(end, _directory);
        return [.. head._body, .. text, .. _body, .. end];
    }

    private int Number(string text)
    {
        if (!_strings.TryGetValue(text, out var number))
        {
            number = _inOrder.Count;
            _strings.Add(text, number);
            _inOrder.Add(text);
        }

        return number;
    }
}
