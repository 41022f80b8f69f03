namespace FhirIomt.Ingest.Hl7;

/// <summary>A field, component or subcomponent: a slice of the message. Numbers count from 1, as in the standard; what is not there is empty.</summary>
public readonly struct Hl7Value(ReadOnlyMemory<char> text, Hl7Separators separators)
{
    public ReadOnlySpan<char> Raw => text.Span;

    /// <summary>HL7's explicit null, <c>""</c>, is empty too.</summary>
    public bool IsEmpty => text.Span is var span && (span.IsWhiteSpace() || span is "\"\"");

    /// <summary>Unescaped, without white space around it.</summary>
    public string Text => IsEmpty ? "" : separators.Unescape(text.Span.Trim());

    /// <summary>Null instead of an empty text.</summary>
    public string? TextOrNull => IsEmpty ? null : Text;

    public Hl7Value Component(int number) => Part(separators.Component, number);

    public Hl7Value Subcomponent(int number) => Part(separators.Subcomponent, number);

    public Hl7Value Repetition(int number) => Part(separators.Repetition, number);

    public int Repetitions => IsEmpty ? 0 : text.Span.Count(separators.Repetition) + 1;

    public int Components => IsEmpty ? 0 : text.Span.Count(separators.Component) + 1;

    public override string ToString() => Text;

    internal Hl7Value Part(char separator, int number)
    {
        var span = text.Span;
        var start = 0;
        for (var skipped = 1; skipped < number; skipped++)
        {
            var next = span[start..].IndexOf(separator);
            if (next < 0)
            {
                return new Hl7Value(default, separators);
            }

            start += next + 1;
        }

        var length = span[start..].IndexOf(separator);
        return new Hl7Value(text.Slice(start, length < 0 ? span.Length - start : length), separators);
    }
}

/// <summary>One segment, such as OBX. Where its fields begin is found once: an OBX is asked for a dozen of them.</summary>
public sealed class Hl7Segment
{
    private readonly ReadOnlyMemory<char> _text;
    private readonly Hl7Separators _separators;
    private readonly int[] _ends;
    private readonly bool _isHeader;

    public Hl7Segment(ReadOnlyMemory<char> text, Hl7Separators separators)
    {
        (_text, _separators) = (text, separators);
        var span = text.Span;
        _ends = new int[span.Count(separators.Field) + 1];
        var at = 0;
        for (var field = 0; field < _ends.Length - 1; field++)
        {
            at += span[at..].IndexOf(separators.Field);
            _ends[field] = at++;
        }

        _ends[^1] = span.Length;
        _isHeader = span[.._ends[0]] is "MSH";
    }

    public ReadOnlySpan<char> Name => _text.Span[.._ends[0]];

    public bool Is(string name) => Name.SequenceEqual(name);

    /// <summary>By the standard's number; of MSH too, where the first is the separator itself.</summary>
    public Hl7Value this[int number]
    {
        get
        {
            var field = _isHeader ? number - 1 : number;
            return field < 1 || field >= _ends.Length ? new Hl7Value(default, _separators) : new Hl7Value(_text[(_ends[field - 1] + 1).._ends[field]], _separators);
        }
    }
}
