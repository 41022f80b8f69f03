using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary>
/// What a constant pattern said of the texts it met last: a mapping asks the names of a few dozen kinds all day, and to run an automaton over each, as a string of its own, costs as
/// much as the rest of the mapping. Safe for many threads: a place holds one whole answer.
/// </summary>
internal sealed class KnownMatches
{
    private const int Places = 64;

    // Names of kinds; longer texts are asked for once.
    private const int MaxLength = 96;

    private readonly Answer?[] _answers = new Answer?[Places];

    public bool IsMatch(InternetRegex regex, ResourceNode text)
    {
        var bytes = text.ContentSpan;
        if (bytes.Length is 0 or > MaxLength)
        {
            return regex.IsMatch(text.AsString()!);
        }

        ref var place = ref _answers[PlaceOf(bytes)];
        if (Volatile.Read(ref place) is { } known && bytes.SequenceEqual(known.Text))
        {
            return known.IsMatch;
        }

        var answer = new Answer(bytes.ToArray(), regex.IsMatch(text.AsString()!));
        Volatile.Write(ref place, answer);
        return answer.IsMatch;
    }

    private static int PlaceOf(ReadOnlySpan<byte> text) => ((text.Length * 31) + (text[^1] * 7) + (text[text.Length / 2] * 131) + (text[text.Length * 3 / 4] * 17)) & (Places - 1);

    /// <param name="Text">As it stands in the document, escapes not undone.</param>
    private sealed record Answer(byte[] Text, bool IsMatch);
}
