using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>One index value as its rows, in the table of its kind.</summary>
internal sealed class ValueRows(RowWriter rows, Dictionaries.Pending dictionaries)
{
    /// <summary>Pseudo-parameters beside a parameter: what its values say besides themselves.</summary>
    public const string OfType = ":of-type";

    public const string ByIdentifier = ":identifier";

    public long Parameter(long type, string code) => dictionaries.GetOrAdd(DictionaryKey.Parameter(type, code));

    public long Concept(string? system, string code) => dictionaries.GetOrAdd(DictionaryKey.Concept(dictionaries.GetOrAdd(DictionaryKey.System(system)), code));

    public void Write(bool adding, long type, long key, IndexValue value)
    {
        var parameter = Parameter(type, value.Parameter.IndexName);
        dictionaries.Uses(parameter, value is IndexValue.Token { IsIdentifier: true });
        switch (value)
        {
            case IndexValue.Token token:
                Token(adding, type, parameter, key, token);
                break;
            case IndexValue.Text text:
                rows.Text(adding, parameter, TextFolding.Fold(text.Value), key, text.Value);
                break;
            case IndexValue.Date date:
                rows.Date(adding, parameter, date.Start.UtcTicks, date.End.UtcTicks, key);
                break;
            case IndexValue.Number number:
                rows.Number(adding, parameter, (double)number.Value, (double)number.Value, key);
                break;
            case IndexValue.Quantity quantity:
                Quantity(adding, parameter, key, quantity, codes: 0);
                break;
            case IndexValue.Reference reference:
                if (Entity(reference) is { } target)
                {
                    rows.Reference(adding, parameter, target, key);
                }

                BesidesTarget(adding, type, parameter, key, reference);
                break;
            case IndexValue.Uri uri:
                rows.Uri(adding, parameter, ExactText.Of(uri.Value), key);
                break;
        }
    }

    /// <param name="codes">The set of the codes that the quantity stands beside, or 0.</param>
    public void Quantity(bool adding, long parameter, long key, IndexValue.Quantity quantity, long codes)
    {
        var (low, high) = Bounds(quantity);
        dictionaries.Uses(parameter);
        rows.Quantity(adding, parameter, Unit(quantity), low, high, codes, key);
    }

    public long Unit(IndexValue.Quantity quantity) =>
        dictionaries.GetOrAdd(DictionaryKey.Unit(dictionaries.GetOrAdd(DictionaryKey.System(quantity.System)), quantity.Code ?? "", quantity.Unit ?? ""));

    /// <summary>A quantity is the point it says, not the interval of its precision: that is the search value's (R4 §3.1.1.4.11).</summary>
    public static (double Low, double High) Bounds(IndexValue.Quantity quantity) => quantity.Value is { } value
        ? ((double)value, (double)value)
        : (quantity.Low == decimal.MinValue ? double.NegativeInfinity : (double)quantity.Low, quantity.High == decimal.MaxValue ? double.PositiveInfinity : (double)quantity.High);

    public long? Entity(IndexValue.Reference reference) => reference switch
    {
        { Type: { } type, Id: { } id } => dictionaries.GetOrAdd(DictionaryKey.Entity(type, id)),
        { Url: { } url } => dictionaries.GetOrAdd(DictionaryKey.Entity("", url)),
        _ => null,
    };

    /// <summary>What a reference says besides its target: a version and an identifier.</summary>
    public void BesidesTarget(bool adding, long type, long parameter, long key, IndexValue.Reference reference)
    {
        if (reference.Version is { } version)
        {
            var versioned = reference.Id is { } id ? DictionaryKey.Entity(reference.Type!, $"{id}/_history/{version}") : DictionaryKey.Entity("", $"{reference.Url}|{version}");
            dictionaries.Uses(parameter);
            rows.Reference(adding, parameter, dictionaries.GetOrAdd(versioned), key);
        }

        if (reference.IdentifierValue is { } identifier)
        {
            var byIdentifier = Parameter(type, reference.Parameter.IndexName + ByIdentifier);
            dictionaries.Uses(byIdentifier, identifiers: true);
            rows.Identifier(adding, byIdentifier, ExactText.Of(identifier), key, dictionaries.GetOrAdd(DictionaryKey.System(reference.IdentifierSystem)));
        }
    }

    /// <summary>Rows of one repetition of a composite.</summary>
    public void Composite(long type, long key, IndexValue.Composite composite, int repetition)
    {
        var parameter = Parameter(type, composite.Parameter.IndexName);
        dictionaries.Uses(parameter);
        for (var component = 0; component < composite.Parts.Count; component++)
        {
            var item = 0;
            foreach (var value in composite.Parts[component])
            {
                if (ComponentOf(new ComponentRow(parameter, key, repetition, component, item), value) is { } row)
                {
                    rows.Component(row);
                    item++;
                }
            }
        }
    }

    private ComponentRow? ComponentOf(ComponentRow row, IndexValue value)
    {
        switch (value)
        {
            case IndexValue.Token { IsIdentifier: true } token:
                return row with { Value = ExactText.Of(token.Code), System = dictionaries.GetOrAdd(DictionaryKey.System(token.System)) };
            case IndexValue.Token { Code.Length: > 0 } token:
                return row with { Concept = Concept(token.System, token.Code) };
            case IndexValue.Text text:
                return row with { Value = ExactText.Of(TextFolding.Fold(text.Value)) };
            case IndexValue.Uri uri:
                return row with { Value = ExactText.Of(uri.Value) };
            case IndexValue.Date date:
                return row with { Low = date.Start.UtcTicks, High = date.End.UtcTicks };
            case IndexValue.Number number:
                return row with { Low = (double)number.Value, High = (double)number.Value };
            case IndexValue.Quantity quantity:
                var (low, high) = Bounds(quantity);
                return row with { Low = low, High = high, Unit = Unit(quantity) };
            case IndexValue.Reference reference when Entity(reference) is { } target:
                return row with { Target = target };
            default:
                return null;
        }
    }

    private void Token(bool adding, long type, long parameter, long key, IndexValue.Token token)
    {
        if (token.IsIdentifier)
        {
            rows.Identifier(adding, parameter, ExactText.Of(token.Code), key, dictionaries.GetOrAdd(DictionaryKey.System(token.System)));
            foreach (var (system, code) in token.IdentifierTypes)
            {
                var ofType = Parameter(type, token.Parameter.IndexName + OfType);
                dictionaries.Uses(ofType, identifiers: true);
                rows.Identifier(adding, ofType, ExactText.Of($"{system}|{code}|{token.Code}"), key, dictionaries.GetOrAdd(DictionaryKey.System(token.System)));
            }
        }
        else if (token.Code.Length > 0)
        {
            rows.Token(adding, parameter, Concept(token.System, token.Code), key);
        }

        if (token.Texts.Count > 0)
        {
            // Beside an identifier too.
            dictionaries.Uses(parameter);
        }

        foreach (var text in token.Texts)
        {
            rows.Token(adding, parameter, dictionaries.TextConcept(text), key);
        }
    }
}
