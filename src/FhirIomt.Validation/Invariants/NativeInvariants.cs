using System.Collections.Frozen;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Validation.Invariants;

/// <summary>
/// Invariants that nearly every resource meets, written by hand: FHIRPath takes 0.5 to 5 µs for each of them, these some ten nanoseconds. They are
/// chosen by key and exact expression, so that another version of a constraint falls back to FHIRPath.
/// </summary>
internal static class NativeInvariants
{
    public delegate bool Check(in InvariantFocus focus);

    // obs-7 compares every coding of every component with every coding of the code: 100 × 100 is far beyond any real resource.
    private const int MaxComparisons = 100_000;

    private static readonly FrozenDictionary<(string Key, string Expression), Check> All = new Dictionary<(string, string), Check>
    {
        [("ext-1", "extension.exists() != value.exists()")] = (in focus) => focus.Node["extension"u8].Exists != HasValue(focus.Node),
        [("dom-2", "contained.contained.empty()")] = (in focus) => NoContained(focus, (in contained) => contained["contained"u8].Exists),
        [("dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()")] = (in focus) => NoContained(focus, (in contained) => contained["meta"u8]["versionId"u8].Exists || contained["meta"u8]["lastUpdated"u8].Exists),
        [("dom-5", "contained.meta.security.empty()")] = (in focus) => NoContained(focus, (in contained) => contained["meta"u8]["security"u8].Exists),
        [("qty-3", "code.empty() or system.exists()")] = (in focus) => !Has(focus.Node, "code"u8) || Has(focus.Node, "system"u8),
        [("per-1", "start.hasValue().not() or end.hasValue().not() or (start <= end)")] = StartsBeforeEnd,
        [("cpt-2", "value.empty() or system.exists()")] = (in focus) => !Has(focus.Node, "value"u8) || Has(focus.Node, "system"u8),
        [("att-1", "data.empty() or contentType.exists()")] = (in focus) => !Has(focus.Node, "data"u8) || Has(focus.Node, "contentType"u8),
        [("obs-3", "low.exists() or high.exists() or text.exists()")] = (in focus) => Has(focus.Node, "low"u8) || Has(focus.Node, "high"u8) || Has(focus.Node, "text"u8),
        [("obs-6", "dataAbsentReason.empty() or value.empty()")] = (in focus) => !focus.Node["dataAbsentReason"u8].Exists || !HasValue(focus.Node),
        [("obs-7", "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()")] = NoComponentRepeatsTheCode,
        [("vs-1", "($this as dateTime).toString().length() >= 8")] = (in focus) => !focus.Node.IsString || focus.Node.ContentSpan.Length >= 8,
        [("vs-2", "(component.empty() and hasMember.empty()) implies (dataAbsentReason.exists() or value.exists())")] = (in focus) => focus.Node["component"u8].Exists || focus.Node["hasMember"u8].Exists || focus.Node["dataAbsentReason"u8].Exists || HasValue(focus.Node),
        [("vs-3", "value.exists() or dataAbsentReason.exists()")] = (in focus) => HasValue(focus.Node) || focus.Node["dataAbsentReason"u8].Exists,
        // que-12 asks "more than one" in its text and "more than two" in its expression; the text is what later versions of FHIR say.
        [("que-12", "enableWhen.count() > 2 implies enableBehavior.exists()")] = (in focus) => focus.Node["enableWhen"u8].Count < 2 || Has(focus.Node, "enableBehavior"u8),
        // que-7 means FHIR's boolean; read to the letter, Boolean is the system type, which no answer has.
        [("que-7", "operator = 'exists' implies (answer is Boolean)")] = (in focus) => !focus.Node["operator"u8].TextEquals("exists"u8) || Has(focus.Node, "answerBoolean"u8),
        [("iomt-obs-1", "iif($this is dateTime, $this.toString().length() >= 20, start.exists() and start.toString().length() >= 20)")] = HasTime,
    }.ToFrozenDictionary();

    private delegate bool Fault(in ResourceNode contained);

    public static IEnumerable<(string Key, string Expression)> Keys => All.Keys;

    public static Check? Find(FhirConstraint constraint) => All.GetValueOrDefault((constraint.Key, constraint.Expression));

    /// <summary>A primitive exists with its value or with its companion alone.</summary>
    private static bool Has(ResourceNode node, ReadOnlySpan<byte> name)
    {
        foreach (var child in node.Children)
        {
            var found = child.NameSpan;
            if (found.SequenceEqual(name) || (found.StartsWith((byte)'_') && found[1..].SequenceEqual(name)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>value[x] in any form.</summary>
    private static bool HasValue(ResourceNode node)
    {
        foreach (var child in node.Children)
        {
            var name = child.NameSpan;
            name = name.StartsWith((byte)'_') ? name[1..] : name;
            if (name.Length > 5 && name.StartsWith("value"u8) && name[5] is >= (byte)'A' and <= (byte)'Z')
            {
                return true;
            }
        }

        return false;
    }

    private static bool NoContained(in InvariantFocus focus, Fault fault)
    {
        foreach (var contained in focus.Node["contained"u8].Items)
        {
            if (fault(contained))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a contained resource refers to its container.</summary>
    public static bool RefersToContainer(ResourceNode node)
    {
        if (node.IsString)
        {
            return node.TextEquals("#"u8);
        }

        foreach (var child in node.Children)
        {
            if (RefersToContainer(child))
            {
                return true;
            }
        }

        return false;
    }

    // A partial date is an interval: only a start that is surely after the end breaks the rule. FHIRPath answers empty there.
    private static bool StartsBeforeEnd(in InvariantFocus focus)
    {
        var (start, end) = (focus.Node["start"u8], focus.Node["end"u8]);
        if (!start.IsString || !end.IsString)
        {
            return true;
        }

        return !FhirDate.TryParseInterval(start.ContentSpan, out var from, out _) || !FhirDate.TryParseInterval(end.ContentSpan, out _, out var to) || from < to;
    }

    // A dateTime with time has at least YYYY-MM-DDThh:mm:ssZ.
    private static bool HasTime(in InvariantFocus focus)
    {
        var moment = focus.Node.IsObject ? focus.Node["start"u8] : focus.Node;
        return moment.IsString ? moment.ContentSpan.Length >= 20 : !focus.Node.Exists;
    }

    private static bool NoComponentRepeatsTheCode(in InvariantFocus focus)
    {
        if (!HasValue(focus.Node))
        {
            return true;
        }

        var comparisons = 0;
        foreach (var component in focus.Node["component"u8].Items)
        {
            foreach (var coding in component["code"u8]["coding"u8].Items)
            {
                foreach (var own in focus.Scope.Resource["code"u8]["coding"u8].Items)
                {
                    if (++comparisons > MaxComparisons || JsonEquality.AreEqual(coding, own))
                    {
                        return false;
                    }
                }
            }
        }

        return true;
    }
}
