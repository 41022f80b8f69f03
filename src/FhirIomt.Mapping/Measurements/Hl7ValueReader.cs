using System.Globalization;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>OBX-5 by the type that OBX-2 names.</summary>
internal static class Hl7ValueReader
{
    // What monitors write into a number that they have not got.
    private const string NoNumber = "-100";

    /// <summary>Null: cannot be read as what it says it is.</summary>
    public static MeasuredValue? Read(Hl7Observation observation, Hl7Flags flags, IReadOnlyList<Hl7Observation> facets)
    {
        if (flags.AbsentReason is { } reason)
        {
            return new MeasuredValue.Absent(reason);
        }

        if (observation.Value.IsEmpty)
        {
            return new MeasuredValue.Absent(observation.Status == "X" ? "not-performed" : "unknown");
        }

        return observation.Type switch
        {
            "NM" => Quantity(observation, observation.Value.Text, comparator: null),
            "SN" => Structured(observation),
            "NA" or "MA" => Samples(observation, facets),
            "CWE" or "CE" or "CF" or "CNE" => Concept(observation.Value),
            _ => new MeasuredValue.PlainText(observation.Value.Text),
        };
    }

    private static MeasuredValue? Quantity(Hl7Observation observation, string text, string? comparator)
    {
        if (text == NoNumber && (observation.Concept() is not { } code || CodeTable.Standard.Find(code) is not { IsSigned: true }))
        {
            return new MeasuredValue.Absent("unknown");
        }

        if (Number(text) is not { } number)
        {
            return null;
        }

        var (unit, unitText) = observation.Unit();
        return new MeasuredValue.Quantity(number, unit, unitText, comparator);
    }

    // <> comparator, number, separator, number: ranges and ratios are no single value.
    private static MeasuredValue? Structured(Hl7Observation observation)
    {
        var value = observation.Value;
        return !value.Component(3).IsEmpty ? null : Quantity(observation, value.Component(2).Text, value.Component(1).Text switch { "" or "=" => null, var comparator and ("<" or ">" or "<=" or ">=") => comparator, _ => null });
    }

    /// <summary>A number as JSON has it, with the decimals it came with; null when it is none. A comma is no decimal point: nobody knows what it means.</summary>
    public static string? Number(string text) => IsPlain(text) ? text : Number(text.AsSpan());

    /// <inheritdoc cref="Number(string)"/>
    public static string? Number(ReadOnlySpan<char> text)
    {
        if (IsPlain(text))
        {
            return text.ToString();
        }

        var digits = text.StartsWith('+') ? text[1..] : text;
        if (!decimal.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        return number.ToString(CultureInfo.InvariantCulture);
    }

    // Most numbers stand there as a decimal would be written, and reading them costs more than everything else about them.
    private static bool IsPlain(ReadOnlySpan<char> text)
    {
        const int MostDigits = 28;
        var isNegative = text.StartsWith('-');
        var number = isNegative ? text[1..] : text;
        var point = number.IndexOf('.');
        var whole = point < 0 ? number : number[..point];
        var rest = point < 0 ? [] : number[(point + 1)..];
        return whole.Length > 0 && whole.Length + rest.Length <= MostDigits && (point < 0 || rest.Length > 0) && (whole[0] != '0' || (whole.Length == 1 && !isNegative))
            && !whole.ContainsAnyExceptInRange('0', '9') && !rest.ContainsAnyExceptInRange('0', '9');
    }

    private static MeasuredValue.Concept Concept(Hl7Value value)
    {
        var text = value.Component(9).TextOrNull ?? value.Component(2).TextOrNull;
        return Hl7Observation.ConceptOf(value, 1) is { } code ? new MeasuredValue.Concept(code, value.Component(9).TextOrNull) : new MeasuredValue.Concept(new CodedConcept("", ""), text);
    }

    /// <summary>Samples with their rate and resolution from the facets beneath.</summary>
    private static MeasuredValue.Samples? Samples(Hl7Observation observation, IReadOnlyList<Hl7Observation> facets)
    {
        if (Facet(facets, "MDC_ATTR_SAMP_RATE") is not { } rate || rate is < 0.01m or > 10_000_000m)
        {
            return null;
        }

        var parts = observation.Value.Repetition(1).Raw.ToString().Split('^');
        for (var index = 0; index < parts.Length; index++)
        {
            if (string.IsNullOrWhiteSpace(parts[index]))
            {
                parts[index] = "E";
            }
            else if (Number(parts[index].Trim()) is { } number)
            {
                parts[index] = number;
            }
            else
            {
                return null;
            }
        }

        var factor = Facet(facets, "MDC_ATTR_NU_MSMT_RES") ?? 1;
        return new MeasuredValue.Samples("0", observation.Unit().Ucum ?? "1", decimal.Round(1000 / rate, 9).ToString("0.#########", CultureInfo.InvariantCulture), factor.ToString(CultureInfo.InvariantCulture), string.Join(' ', parts));
    }

    private static decimal? Facet(IReadOnlyList<Hl7Observation> facets, string name)
    {
        foreach (var facet in facets)
        {
            if (facet.Code.Component(2).Text == name || (facet.Code.Component(1).TextOrNull is { } code && CodeTable.Standard.NameOf(code) == name))
            {
                return decimal.TryParse(facet.Value.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
            }
        }

        return null;
    }
}
