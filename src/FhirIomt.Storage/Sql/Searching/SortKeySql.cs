using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// One key of an order: the value of each resource <c>r</c> to sort by. The smallest value of a resource counts when ascending, the largest when descending
/// (R4 §3.1.1.5.1); a resource without any comes last.
/// </summary>
/// <param name="Value">SQL of the value; null for none.</param>
/// <param name="Join">What must be joined for it.</param>
/// <param name="Kind"><c>l</c>, <c>d</c> or <c>s</c>, as <see cref="SearchCursor"/> writes it.</param>
internal sealed record SortKeySql(Condition Value, Condition? Join, char Kind, bool Descending)
{
    // Texts are told apart by this much of them; what is equal so far is in the order of its key.
    private const int MaxText = 100;

    public static SortKeySql For(SearchContext context, SortKey key, int index)
    {
        var parameter = key.Parameter;
        var extreme = key.Descending ? "max" : "min";
        return (parameter.Code, context.Whole(parameter)) switch
        {
            ("_id", _) => new SortKeySql(new Condition("r.id"), null, 's', key.Descending),
            ("_lastUpdated", _) => new SortKeySql(new Condition("r.key"), null, 'l', key.Descending),
            (_, "date") => new SortKeySql(new Condition($"CASE WHEN r.start>{IndexRows.NoStart} THEN r.start END"), null, 'l', key.Descending),
            (_, "subject" or "patient") => new SortKeySql(new Condition("(SELECT e.name FROM entity e WHERE e.id=r.subject)"), null, 's', key.Descending),
            _ when context.IsFacet(parameter) => InSet(context, parameter, extreme, index, key.Descending),
            _ => OfTable(context, parameter, extreme, index, key.Descending),
        };
    }

    public static string KindOf(SearchContext context, SortKey key) => (key.Parameter.Type, key.Parameter.Code, context.Whole(key.Parameter)) switch
    {
        (_, "_id", _) => "s",
        (SearchParameterType.Date, _, _) => "l",
        (SearchParameterType.Number or SearchParameterType.Quantity, _, _) => "d",
        _ => "s",
    };

    private static SortKeySql OfTable(SearchContext context, SearchParameter parameter, string extreme, int index, bool descending)
    {
        var number = context.Parameter(parameter) ?? -1;
        Condition Probe(string table, string column) => new($"(SELECT {extreme}(i.{column}) FROM {table} i WHERE i.key=r.key AND i.parameter=?)", number);
        return parameter.Type switch
        {
            SearchParameterType.String => new SortKeySql(new Condition("substr(").Append(Probe("string_index", "folded")).Append($",1,{MaxText})"), null, 's', descending),
            SearchParameterType.Date => new SortKeySql(Probe("date_index", "start"), null, 'l', descending),
            SearchParameterType.Number => new SortKeySql(Probe("number_index", descending ? "high" : "low"), null, 'd', descending),
            SearchParameterType.Quantity => Quantity(context, parameter, extreme, descending),
            SearchParameterType.Reference => Grouped("reference_index i JOIN entity e ON e.id=i.target", "e.name", new Condition("i.parameter=?", number), extreme, index, descending),
            SearchParameterType.Uri => Grouped("uri_index i", "i.value", new Condition("i.parameter=?", number), extreme, index, descending),
            _ => context.HasRows("identifier_index", number)
                ? Grouped("identifier_index i", "i.value", new Condition("i.parameter=?", number), extreme, index, descending)
                : Grouped("token_index i JOIN concept c ON c.id=i.concept", "c.code", new Condition("i.parameter=? AND c.system<>?", number, context.Engine.Dictionaries.TextSystem), extreme, index, descending),
        };
    }

    // By number, whatever the unit: resources that are sorted together are measured alike.
    private static SortKeySql Quantity(SearchContext context, SearchParameter parameter, string extreme, bool descending)
    {
        string[] codes = context.IsObservation && parameter.Code == "combo-value-quantity" ? ["value-quantity", "component-value-quantity"] : [parameter.Code];
        var numbers = codes.Select(code => context.Parameter(code)).OfType<long>().ToList();
        var value = new Condition($"(SELECT {extreme}(i.{(descending ? "high" : "low")}) FROM quantity_index i WHERE i.key=r.key AND ").Append(Condition.In("i.parameter", numbers)).Append(")");
        return new SortKeySql(value, null, 'd', descending);
    }

    // These tables are not kept by key: the values are gathered once for the statement.
    private static SortKeySql Grouped(string tables, string column, Condition condition, string extreme, int index, bool descending) => new(
        new Condition($"substr(s{index}.v,1,{MaxText})"),
        new Condition($"LEFT JOIN (SELECT i.key AS k, {extreme}({column}) AS v FROM {tables} WHERE ").Append(condition).Append($" GROUP BY i.key) s{index} ON s{index}.k=r.key"),
        's',
        descending);

    private static SortKeySql InSet(SearchContext context, SearchParameter parameter, string extreme, int index, bool descending) => new(
        new Condition($"substr(s{index}.v,1,{MaxText})"),
        new Condition($"LEFT JOIN (SELECT f.code_set AS k, {extreme}(c.code) AS v FROM code_set_concept f JOIN concept c ON c.id=f.concept WHERE f.parameter=? AND c.system<>? GROUP BY f.code_set) s{index} ON s{index}.k=r.codes", context.Parameter(parameter) ?? -1, context.Engine.Dictionaries.TextSystem),
        's',
        descending);
}
