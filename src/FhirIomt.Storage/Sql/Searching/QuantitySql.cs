using FhirIomt.Core.Units;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// Quantities (R4 §3.1.1.4.11). A value in a UCUM unit is compared with every stored unit that UCUM can convert it to: there are few units, each in very many
/// resources, so the search value is converted and not the stored ones.
/// </summary>
internal sealed class QuantitySql(SearchContext context)
{
    private const string UcumSystem = "http://unitsofmeasure.org";

    /// <param name="row">The index row, with its unit, low and high.</param>
    public Condition Matches(QuantityMatch match, string row) => match switch
    {
        { Code: null, System: null } => NumberSql.Bounds(match.Number, $"{row}.low", $"{row}.high"),
        { Code: null } => Within(match.Number, new Condition("u.system=?", context.System(match.System) ?? -1), row),
        { System: null } => Within(match.Number, new Condition("(u.code=? OR u.text=?)", match.Code, match.Code), row),
        { System: UcumSystem } when Ucum.Standard.IsValid(match.Code) => Condition.AnyOf([.. Comparable(match.Code).Select(unit => Converted(match.Number, match.Code, unit, row))]),
        _ => Within(match.Number, new Condition("u.code=? AND u.system=?", match.Code, context.System(match.System) ?? -1), row),
    };

    /// <summary>Whether the value compares with too many stored units to ask for each.</summary>
    public bool HasTooManyUnits(QuantityMatch match) => match is { System: UcumSystem, Code: not null } && Comparable(match.Code).Count > SearchLimits.MaxComparableUnits;

    private static Condition Within(NumberMatch number, Condition unit, string row) =>
        new Condition($"({row}.unit IN (SELECT u.id FROM unit u WHERE ").Append(unit).Append(") AND ").Append(NumberSql.Bounds(number, $"{row}.low", $"{row}.high")).Append(")");

    private Condition Converted(NumberMatch number, string from, string to, string row)
    {
        var unit = new Condition("u.code=? AND u.system=?", to, context.System(UcumSystem) ?? -1);
        if (from == to)
        {
            return Within(number, unit, row);
        }

        var around = number.Around;
        decimal?[] converted = [.. new[] { number.Value, number.Low, number.High, around.Low, around.High }.Select(value => Ucum.Standard.Convert(value, from, to))];
        if (converted.Contains(null))
        {
            // Beyond 28 digits in that unit: nothing stored can be so large or so small.
            return Condition.Never;
        }

        // Some conversions turn the order round (a reciprocal does): an interval stays one.
        double[] ends = [.. converted.Select(value => (double)value!.Value)];
        var isTurned = ends[1] > ends[2];
        var prefix = !isTurned ? number.Prefix : Turned(number.Prefix);
        var bounds = NumberSql.Bounds(prefix, ends[0], Math.Min(ends[1], ends[2]), Math.Max(ends[1], ends[2]), (Math.Min(ends[3], ends[4]), Math.Max(ends[3], ends[4])), $"{row}.low", $"{row}.high");
        return new Condition($"({row}.unit IN (SELECT u.id FROM unit u WHERE ").Append(unit).Append(") AND ").Append(bounds).Append(")");
    }

    private static SearchPrefix Turned(SearchPrefix prefix) => prefix switch
    {
        SearchPrefix.Greater => SearchPrefix.Less,
        SearchPrefix.Less => SearchPrefix.Greater,
        SearchPrefix.GreaterOrEqual => SearchPrefix.LessOrEqual,
        SearchPrefix.LessOrEqual => SearchPrefix.GreaterOrEqual,
        SearchPrefix.StartsAfter => SearchPrefix.EndsBefore,
        SearchPrefix.EndsBefore => SearchPrefix.StartsAfter,
        _ => prefix,
    };

    private List<string> Comparable(string code) => [.. Codes(context.System(UcumSystem) ?? -1).Where(unit => Ucum.Standard.AreComparable(code, unit))];

    private List<string> Codes(long system) => context.Catalog.Fact(new CatalogKey(CatalogKind.Units, system, ""), () =>
    {
        var codes = new List<string>();
        using var rows = context.Connection.Prepare("SELECT DISTINCT code FROM unit WHERE system=? AND code<>'' ORDER BY code").Add(system).Run();
        while (rows.Step())
        {
            codes.Add(rows.Text(0));
        }

        return codes;
    });
}
