using FhirIomt.Fhir.Search;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// What an Observation is indexed by besides ordinary rows: its line in the timeline with its set of codes (<see cref="Facets"/>), and the quantities of its components,
/// each with the set of its component's own codes. A heart rate costs three rows this way: the timeline, the quantity and the device.
/// </summary>
internal sealed class ObservationRows(RowWriter rows, Dictionaries.Pending dictionaries, ValueRows values)
{
    private const string ComponentQuantity = "component-value-quantity";
    private const string ComponentCodeQuantity = "component-code-value-quantity";

    // The writer's alone, and empty between two resources: lists of their own were a twentieth of what a reading takes in the transaction.
    private readonly List<(long Parameter, long Concept)> _members = new(Facets.MaxMembers);
    private readonly List<(long Parameter, long Concept)> _surplus = [];

    /// <summary>Whether the value is written here and gets no ordinary row.</summary>
    public static bool Takes(IndexValue value) => value switch
    {
        IndexValue.Token or IndexValue.Uri => Facets.Has("Observation", value.Parameter.Code),
        _ => value.Parameter.Code is "subject" or "patient" or "date" or ComponentQuantity or ComponentCodeQuantity,
    };

    public ResourceColumns Add(long type, long key, IReadOnlyList<IndexValue> found)
    {
        var columns = TimeAndSubject(adding: true, type, key, found);
        var (members, surplus) = MembersOf(type, found);
        var codes = dictionaries.GetOrAddCodeSet(members, rows, out var fits);
        if (!fits)
        {
            surplus.AddRange(members);
        }

        WriteSurplus(adding: true, key, surplus);
        WriteQuantities(adding: true, type, key, found);
        rows.Timeline(adding: true, columns.Subject ?? 0, codes, columns.Start!.Value, key);
        return columns with { Codes = codes };
    }

    public void Remove(long type, long key, IReadOnlyList<IndexValue> found, in ResourceColumns columns)
    {
        TimeAndSubject(adding: false, type, key, found);
        var (members, surplus) = MembersOf(type, found);
        if (dictionaries.Find(DictionaryKey.CodeSet(Facets.NameOf(members))) != columns.Codes)
        {
            surplus.AddRange(members);
        }

        WriteSurplus(adding: false, key, surplus);
        WriteQuantities(adding: false, type, key, found);
        rows.Timeline(adding: false, columns.Subject ?? 0, columns.Codes ?? 0, columns.Start ?? IndexRows.NoStart, key);
    }

    private ResourceColumns TimeAndSubject(bool adding, long type, long key, IReadOnlyList<IndexValue> found)
    {
        long? subject = null;
        var (start, stop) = (IndexRows.NoStart, IndexRows.NoStart);
        foreach (var value in found)
        {
            switch (value)
            {
                case IndexValue.Reference reference when reference.Parameter.Code is "subject" or "patient":
                    subject = reference.Parameter.Code == "subject" ? values.Entity(reference) : subject;
                    values.BesidesTarget(adding, type, values.Parameter(type, reference.Parameter.Code), key, reference);
                    break;
                case IndexValue.Date date when date.Parameter.Code == "date":
                    // A Timing counts by its outer limits (R4 §3.1.1.4.7).
                    start = start == IndexRows.NoStart ? date.Start.UtcTicks : Math.Min(start, date.Start.UtcTicks);
                    stop = Math.Max(stop, date.End.UtcTicks);
                    break;
            }
        }

        return new ResourceColumns(subject, null, start, stop);
    }

    private (List<(long Parameter, long Concept)> Members, List<(long Parameter, long Concept)> Surplus) MembersOf(long type, IReadOnlyList<IndexValue> found)
    {
        var (members, surplus) = (_members, _surplus);
        members.Clear();
        surplus.Clear();
        foreach (var value in found)
        {
            if (!Facets.Has("Observation", value.Parameter.Code))
            {
                continue;
            }

            var parameter = values.Parameter(type, value.Parameter.Code);
            if (value is IndexValue.Uri uri)
            {
                Take((parameter, values.Concept(null, uri.Value)), fits: true);
            }
            else if (value is IndexValue.Token token)
            {
                if (token.Code.Length > 0)
                {
                    Take((parameter, values.Concept(token.System, token.Code)), fits: true);
                }

                foreach (var text in token.Texts)
                {
                    Take((parameter, dictionaries.TextConcept(text)), text.Length <= Facets.MaxTextLength);
                }
            }
        }

        return (members, surplus);

        void Take((long, long) member, bool fits)
        {
            var place = fits && members.Count < Facets.MaxMembers ? members : surplus;
            if (!members.Contains(member) && !place.Contains(member))
            {
                place.Add(member);
            }
        }
    }

    private void WriteSurplus(bool adding, long key, List<(long Parameter, long Concept)> surplus)
    {
        foreach (var (parameter, concept) in surplus)
        {
            dictionaries.Uses(parameter);
            rows.Token(adding, parameter, concept, key);
        }
    }

    private void WriteQuantities(bool adding, long type, long key, IReadOnlyList<IndexValue> found)
    {
        List<IndexValue.Quantity>? written = null;
        foreach (var value in found)
        {
            if (value is IndexValue.Composite composite && value.Parameter.Code == ComponentCodeQuantity)
            {
                var codes = CodesOf(type, composite.Parts[0]);
                foreach (var quantity in composite.Parts[1].OfType<IndexValue.Quantity>())
                {
                    values.Quantity(adding, values.Parameter(type, ComponentQuantity), key, quantity, codes);
                    (written ??= []).Add(quantity);
                }
            }
        }

        // A component without a code has no composite, but its quantity is one.
        foreach (var value in found)
        {
            if (value is IndexValue.Quantity quantity && value.Parameter.Code == ComponentQuantity && !Has(written, quantity))
            {
                values.Quantity(adding, values.Parameter(type, ComponentQuantity), key, quantity, codes: 0);
            }
        }
    }

    private static bool Has(List<IndexValue.Quantity>? written, IndexValue.Quantity quantity) => written?.Exists(other => IsSame(other, quantity)) == true;

    // The composite's values belong to the parameters that it is made of.
    private static bool IsSame(IndexValue.Quantity one, IndexValue.Quantity other) =>
        (one.System, one.Code, one.Unit, one.Value, one.Low, one.High) == (other.System, other.Code, other.Unit, other.Value, other.Low, other.High);

    private long CodesOf(long type, IReadOnlyList<IndexValue> codes)
    {
        var parameter = values.Parameter(type, "component-code");
        var members = new List<(long, long)>(codes.Count);
        foreach (var value in codes)
        {
            if (value is IndexValue.Token { Code.Length: > 0 } token && members.Count < Facets.MaxMembers)
            {
                members.Add((parameter, values.Concept(token.System, token.Code)));
            }
        }

        return dictionaries.GetOrAddCodeSet(members, rows, out _);
    }
}
