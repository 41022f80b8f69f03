using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>Turns what an expression selected into index values, by the parameter's type and the item's type (table of R4 §3.1.1.4.10 ff.).</summary>
internal sealed class IndexValues(string? serverBase)
{
    public List<IndexValue> Taken { get; } = [];

    /// <summary>A collector of its own, for one component of a composite.</summary>
    public IndexValues Apart() => new(serverBase);

    public void Add(IndexValue value)
    {
        // A value found twice by one parameter is one row; a parameter's values stand together at the end.
        for (var index = Taken.Count - 1; index >= 0 && ReferenceEquals(Taken[index].Parameter, value.Parameter); index--)
        {
            if (Taken[index].Equals(value))
            {
                return;
            }
        }

        Taken.Add(value);
    }

    /// <param name="areStrings">A token that is a string is kept without its case.</param>
    public void Add(SearchParameter parameter, in FhirPathItem item, bool areStrings = false)
    {
        switch (parameter.Type)
        {
            case SearchParameterType.Token:
                AddToken(parameter, item, areStrings);
                break;
            case SearchParameterType.Date:
                AddDate(parameter, item);
                break;
            case SearchParameterType.String:
                AddText(parameter, item);
                break;
            case SearchParameterType.Reference:
                AddReference(parameter, item);
                break;
            case SearchParameterType.Uri when item.AsText() is { Length: > 0 } uri:
                Add(new IndexValue.Uri(parameter, uri));
                break;
            case SearchParameterType.Quantity:
                AddQuantity(parameter, item);
                break;
            case SearchParameterType.Number:
                AddNumber(parameter, item);
                break;
        }
    }

    private void AddToken(SearchParameter parameter, in FhirPathItem item, bool areStrings)
    {
        var node = item.Node;
        switch (item.Type?.Name)
        {
            case "CodeableConcept":
                AddConcept(parameter, node);
                break;
            case "Coding":
                AddCoding(parameter, node, text: null);
                break;
            case "Identifier" when node["value"u8].AsString() is { } value:
                Add(new IndexValue.Token(parameter, node["system"u8].AsCommonString(), value, Texts(node["type"u8]["text"u8].AsCommonString())) { IsIdentifier = true, IdentifierTypes = TypesOf(node["type"u8]["coding"u8]) });
                break;
            case "ContactPoint" when node["value"u8].AsString() is { } value:
                Add(new IndexValue.Token(parameter, System: null, value, []));
                break;
            default:
                if (item.AsText() is { Length: > 0 } code)
                {
                    Add(new IndexValue.Token(parameter, System: null, areStrings ? code.ToLowerInvariant() : code, []));
                }

                break;
        }
    }

    private void AddConcept(SearchParameter parameter, ResourceNode concept)
    {
        var text = concept["text"u8].AsCommonString();
        var codings = concept["coding"u8];
        if (!codings.Exists && text is not null)
        {
            Add(new IndexValue.Token(parameter, System: null, "", [text]));
        }

        foreach (var coding in codings.Items)
        {
            AddCoding(parameter, coding, text);
        }
    }

    // Without a code it is findable by :text only: no code equals the empty one.
    private void AddCoding(SearchParameter parameter, ResourceNode coding, string? text)
    {
        var (system, code) = (coding["system"u8].AsCommonString(), coding["code"u8].AsCommonString());
        var texts = Texts(coding["display"u8].AsCommonString(), text);
        if (system is not null || code is not null || texts.Count > 0)
        {
            Add(new IndexValue.Token(parameter, system, code ?? "", texts));
        }
    }

    private static IReadOnlyList<string> Texts(string? one, string? other = null) => (one, other) switch
    {
        (null or "", null or "") => [],
        (null or "", { } text) => [text],
        ({ } text, null or "") => [text],
        _ => one == other ? [one] : [one, other],
    };

    private static List<(string?, string)> TypesOf(ResourceNode codings)
    {
        var types = new List<(string?, string)>();
        foreach (var coding in codings.Items)
        {
            if (coding["code"u8].AsString() is { } code)
            {
                types.Add((coding["system"u8].AsString(), code));
            }
        }

        return types;
    }

    private void AddDate(SearchParameter parameter, in FhirPathItem item)
    {
        var node = item.Node;
        switch (item.Type?.Name)
        {
            case "Period":
                if (PeriodOf(node) is var (from, to))
                {
                    Add(new IndexValue.Date(parameter, from, to));
                }

                break;
            case "Timing":
                AddTiming(parameter, node);
                break;
            default:
                AddMoment(parameter, node);
                break;
        }
    }

    // The details of a schedule do not matter, only its outer limits (R4 §3.1.1.4.7).
    private void AddTiming(SearchParameter parameter, ResourceNode timing)
    {
        var (from, to) = (DateTimeOffset.MaxValue, DateTimeOffset.MinValue);
        foreach (var moment in timing["event"u8].Items)
        {
            if (moment.IsString && FhirDate.TryParseInterval(moment.ContentSpan, out var start, out var end))
            {
                (from, to) = (start < from ? start : from, end > to ? end : to);
            }
        }

        if (PeriodOf(timing["repeat"u8]["boundsPeriod"u8]) is var (first, last))
        {
            (from, to) = (first < from ? first : from, last > to ? last : to);
        }

        if (from < to)
        {
            Add(new IndexValue.Date(parameter, from, to));
        }
    }

    private void AddMoment(SearchParameter parameter, ResourceNode node)
    {
        if (node.IsString && FhirDate.TryParseInterval(node.ContentSpan, out var start, out var end))
        {
            Add(new IndexValue.Date(parameter, start, end));
        }
    }

    // An open end is open; without either it is no period.
    private static (DateTimeOffset From, DateTimeOffset To)? PeriodOf(ResourceNode period)
    {
        var (from, to) = (DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        var hasStart = period["start"u8].IsString && FhirDate.TryParseInterval(period["start"u8].ContentSpan, out from, out _);
        var hasEnd = period["end"u8].IsString && FhirDate.TryParseInterval(period["end"u8].ContentSpan, out _, out to);
        return hasStart || hasEnd ? (hasStart ? from : DateTimeOffset.MinValue, hasEnd ? to : DateTimeOffset.MaxValue) : null;
    }

    private void AddText(SearchParameter parameter, in FhirPathItem item)
    {
        switch (item.Type?.Name)
        {
            // R4 §3.1.1.4.3: the parts of a name or an address are found each by itself.
            case "HumanName" or "Address":
                foreach (var member in item.Node.Children)
                {
                    if (IsPart(member.NameSpan))
                    {
                        foreach (var part in member.Items)
                        {
                            AddText(parameter, part.AsString());
                        }
                    }
                }

                break;
            default:
                AddText(parameter, item.AsText());
                break;
        }
    }

    private static bool IsPart(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("family"u8) || name.SequenceEqual("given"u8) || name.SequenceEqual("prefix"u8) || name.SequenceEqual("suffix"u8) || name.SequenceEqual("text"u8)
        || name.SequenceEqual("line"u8) || name.SequenceEqual("city"u8) || name.SequenceEqual("district"u8) || name.SequenceEqual("state"u8)
        || name.SequenceEqual("postalCode"u8) || name.SequenceEqual("country"u8);

    private void AddText(SearchParameter parameter, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            Add(new IndexValue.Text(parameter, text));
        }
    }

    private void AddReference(SearchParameter parameter, in FhirPathItem item)
    {
        if (item.Type is not { } type)
        {
            return;
        }

        if (type.Name == "Reference")
        {
            if (ReferenceText.Read(parameter, item.Node, serverBase) is { } reference)
            {
                Add(reference);
            }
        }
        else if (type.Kind == FhirTypeKind.Resource && item.Node["id"u8].AsString() is { } id)
        {
            Add(new IndexValue.Reference(parameter, type.Name, id, Version: null, Url: null, IdentifierSystem: null, IdentifierValue: null));
        }
        else if (item.AsText() is { Length: > 0 } canonical)
        {
            Add(ReferenceText.Canonical(parameter, canonical));
        }
    }

    private void AddQuantity(SearchParameter parameter, in FhirPathItem item)
    {
        var node = item.Node;
        switch (item.Type?.Name)
        {
            case "Money":
                AddAmount(parameter, node["value"u8], "urn:iso:std:iso:4217", node["currency"u8].AsString(), unit: null, comparator: null);
                break;
            case "Range":
                AddRange(parameter, node["low"u8], node["high"u8]);
                break;
            case "Quantity" or "Age" or "Duration" or "Count" or "Distance":
                AddAmount(parameter, node["value"u8], node["system"u8].AsCommonString(), node["code"u8].AsCommonString(), node["unit"u8].AsCommonString(), node["comparator"u8].AsCommonString());
                break;
        }
    }

    private void AddAmount(SearchParameter parameter, ResourceNode amount, string? system, string? code, string? unit, string? comparator)
    {
        if (!amount.Exists || !FhirNumber.TryParseInterval(amount.RawSpan, out var value, out var low, out var high))
        {
            return;
        }

        // "<5" stands for everything below 5, ">5" for everything above.
        (low, high) = comparator switch
        {
            "<" or "<=" => (decimal.MinValue, value),
            ">" or ">=" => (value, decimal.MaxValue),
            _ => (low, high),
        };
        Add(new IndexValue.Quantity(parameter, system, code, unit, comparator is null ? value : null, low, high));
    }

    private void AddRange(SearchParameter parameter, ResourceNode lower, ResourceNode upper)
    {
        var (low, high) = (decimal.MinValue, decimal.MaxValue);
        var hasLow = lower["value"u8].Exists && FhirNumber.TryParseInterval(lower["value"u8].RawSpan, out low, out _, out _);
        var hasHigh = upper["value"u8].Exists && FhirNumber.TryParseInterval(upper["value"u8].RawSpan, out high, out _, out _);
        if (hasLow || hasHigh)
        {
            var unit = hasLow ? lower : upper;
            Add(new IndexValue.Quantity(parameter, unit["system"u8].AsString(), unit["code"u8].AsString(), unit["unit"u8].AsString(), Value: null, hasLow ? low : decimal.MinValue, hasHigh ? high : decimal.MaxValue));
        }
    }

    private void AddNumber(SearchParameter parameter, in FhirPathItem item)
    {
        if (item.Node.Exists && FhirNumber.TryParseInterval(item.Node.RawSpan, out var value, out var low, out var high))
        {
            Add(new IndexValue.Number(parameter, value, low, high));
        }
    }
}
