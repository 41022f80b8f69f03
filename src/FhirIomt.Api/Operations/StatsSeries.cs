using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Api.Operations;

internal sealed record StatsUnit(string? System, string? Code, string? Text);

/// <summary>The values of one code, in the unit of the newest one, and what can be calculated from them (code system observation-statistics).</summary>
internal sealed class StatsSeries(string? system, string code)
{
    public const string CodeSystem = "http://terminology.hl7.org/CodeSystem/observation-statistics";
    private const string UcumSystem = "http://unitsofmeasure.org";

    private readonly List<decimal> _values = [];

    public static IReadOnlyList<string> Known { get; } =
        ["average", "maximum", "minimum", "count", "total-count", "median", "std-dev", "sum", "variance", "20-percent", "80-percent", "4-lower", "4-upper", "4-dev", "5-1", "5-2", "5-3", "5-4", "skew", "kurtosis"];

    public string? System { get; } = system;

    public string Code { get; } = code;

    public StatsUnit? Unit { get; private set; }

    /// <summary>Observations and components of the code, whether or not they have a value to calculate with.</summary>
    public int TotalCount { get; private set; }

    /// <summary>The Observation itself, its components, or both: whatever has this code (R4, Observation-stats, <c>code</c>).</summary>
    public void Add(ResourceNode observation)
    {
        AddMeasured(observation);
        foreach (var component in observation["component"u8].Items)
        {
            AddMeasured(component);
        }
    }

    public static bool Knows(string statistic) => Known.Contains(statistic, StringComparer.Ordinal);

    public static bool HasUnit(string statistic) => statistic is not ("count" or "total-count" or "variance" or "skew" or "kurtosis");

    /// <summary>Those that can be calculated: an average needs a value, a deviation two.</summary>
    public IReadOnlyList<(string Statistic, decimal Value)> Calculate(IReadOnlyList<string> statistics)
    {
        _values.Sort();
        var calculated = new List<(string, decimal)>();
        foreach (var statistic in statistics)
        {
            try
            {
                if (Of(statistic) is { } value)
                {
                    calculated.Add((statistic, value));
                }
            }
            catch (OverflowException)
            {
                // Beyond 28 digits: there is no honest figure.
            }
        }

        return calculated;
    }

    private void AddMeasured(ResourceNode measured)
    {
        if (!IsMeant(measured["code"u8]))
        {
            return;
        }

        TotalCount++;
        var quantity = measured["valueQuantity"u8];
        if (!quantity["value"u8].Exists || quantity["comparator"u8].Exists || !FhirNumber.TryParseInterval(quantity["value"u8].RawSpan, out var value, out _, out _))
        {
            return;
        }

        var unit = new StatsUnit(quantity["system"u8].AsString(), quantity["code"u8].AsString(), quantity["unit"u8].AsString());
        Unit ??= unit;
        if (Convert(value, unit) is { } converted)
        {
            _values.Add(converted);
        }
    }

    private bool IsMeant(ResourceNode concept)
    {
        foreach (var coding in concept["coding"u8].Items)
        {
            if (coding["code"u8].AsString() == Code && (System is null || (coding["system"u8].AsString() ?? "") == System))
            {
                return true;
            }
        }

        return false;
    }

    private decimal? Convert(decimal value, StatsUnit unit)
    {
        if ((unit.Code ?? unit.Text) == (Unit!.Code ?? Unit.Text) && unit.System == Unit.System)
        {
            return value;
        }

        return unit is { System: UcumSystem, Code: { } from } && Unit is { System: UcumSystem, Code: { } to } ? Ucum.Standard.Convert(value, from, to) : null;
    }

    private decimal? Of(string statistic) => statistic switch
    {
        "total-count" => TotalCount,
        "count" => _values.Count,
        _ when _values.Count == 0 => null,
        "sum" => _values.Sum(),
        "average" => Round(_values.Sum() / _values.Count),
        "minimum" => _values[0],
        "maximum" => _values[^1],
        "median" => Quantile(0.5m),
        "20-percent" or "5-1" => Quantile(0.2m),
        "5-2" => Quantile(0.4m),
        "5-3" => Quantile(0.6m),
        "80-percent" or "5-4" => Quantile(0.8m),
        "4-lower" => Quantile(0.25m),
        "4-upper" => Quantile(0.75m),
        "4-dev" => (Quantile(0.75m) - Quantile(0.25m)) / 2,
        "variance" => _values.Count < 2 ? null : Round(Moment(2) / (_values.Count - 1)),
        "std-dev" => _values.Count < 2 ? null : Round((decimal)Math.Sqrt((double)(Moment(2) / (_values.Count - 1)))),
        "skew" => Standardised(3),
        "kurtosis" => Standardised(4),
        _ => null,
    };

    // Between two values by straight line (the method of most spreadsheets).
    private decimal Quantile(decimal part)
    {
        var position = part * (_values.Count - 1);
        var index = (int)position;
        return index + 1 >= _values.Count ? _values[^1] : Round(_values[index] + ((_values[index + 1] - _values[index]) * (position - index)));
    }

    private decimal Moment(int power)
    {
        var mean = _values.Sum() / _values.Count;
        return _values.Sum(value => power switch
        {
            2 => (value - mean) * (value - mean),
            3 => (value - mean) * (value - mean) * (value - mean),
            _ => (value - mean) * (value - mean) * (value - mean) * (value - mean),
        });
    }

    // Of the population: 0 skew and 3 kurtosis are those of a normal distribution.
    private decimal? Standardised(int power)
    {
        var variance = Moment(2) / _values.Count;
        return variance == 0 ? null : Round(Moment(power) / _values.Count / (decimal)Math.Pow((double)variance, power / 2.0));
    }

    // More digits than this say nothing.
    private static decimal Round(decimal value) => Math.Round(value, 10) / 1.000000000000000000000000000000000m;
}
