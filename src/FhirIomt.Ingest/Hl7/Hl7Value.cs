namespace FhirIomt.Ingest.Hl7;

/// <summary>A field, component or subcomponent: a slice of the message. Numbers count from 1, as in the standard; what is not there is empty.</summary>
public readonly struct Hl7Value(ReadOnlyMemory<char> text, Hl7Separators separators)
{
    public ReadOnlySpan<char> Raw => text.Span;

    /// <summary>HL7's explicit null, <c>""</c>, is empty too.</summary>
    public bool IsEmpty => text.Span.IsWhiteSpace() || text.Span is "\"\"";

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
        var rest = text;
        for (var skipped = 1; skipped < number; skipped++)
        {
            var next = rest.Span.IndexOf(separator);
            if (next < 0)
            {
                return new Hl7Value(default, separators);
            }

            rest = rest[(next + 1)..];
        }

        var end = rest.Span.IndexOf(separator);
        return new Hl7Value(end < 0 ? rest : rest[..end], separators);
    }
}

/// <summary>One segment, such as OBX.</summary>
public readonly struct Hl7Segment(ReadOnlyMemory<char> text, Hl7Separators separators)
{
    public ReadOnlySpan<char> Name => text.Span.Length < 3 ? text.Span : text.Span[..3];

    public bool Is(string name) => Name.SequenceEqual(name) && (text.Length == 3 || text.Span[3] == separators.Field);

    /// <summary>By the standard's number; of MSH too, where the first is the separator itself.</summary>
    public Hl7Value this[int number] => new Hl7Value(text, separators).Part(separators.Field, Name is "MSH" ? number : number + 1);
}
