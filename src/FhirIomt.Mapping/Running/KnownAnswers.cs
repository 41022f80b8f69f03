using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// What a question about a text was answered for the texts it met last, when the answer depends on the text alone: a mapping asks the same of the names of a few dozen kinds and units
/// all day, and to run an automaton over each, as a string of its own, costs as much as the rest of the mapping. Safe for many threads: a place holds one whole answer.
/// </summary>
internal sealed class KnownAnswers<TAnswer>
{
    private const int Places = 64;

    // Names of kinds and units; longer texts are asked for each time.
    private const int MaxLength = 96;

    private readonly Known?[] _known = new Known?[Places];

    public TAnswer Of<TAsked>(ResourceNode text, TAsked asked, Func<TAsked, string, TAnswer> answer)
    {
        var bytes = text.ContentSpan;
        if (bytes.Length is 0 or > MaxLength)
        {
            return answer(asked, text.AsString()!);
        }

        ref var place = ref _known[PlaceOf(bytes)];
        if (Volatile.Read(ref place) is { } known && bytes.SequenceEqual(known.Text))
        {
            return known.Answer;
        }

        var fresh = new Known(bytes.ToArray(), answer(asked, text.AsString()!));
        Volatile.Write(ref place, fresh);
        return fresh.Answer;
    }

    private static int PlaceOf(ReadOnlySpan<byte> text) => ((text.Length * 31) + (text[^1] * 7) + (text[text.Length / 2] * 131) + (text[text.Length * 3 / 4] * 17)) & (Places - 1);

    /// <param name="Text">As it stands in the document, escapes not undone.</param>
    private sealed record Known(byte[] Text, TAnswer Answer);
}
