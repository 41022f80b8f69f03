using FhirIomt.Core;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Loading;

namespace FhirIomt.Mapping.Linting;

/// <summary>Looks at codes, units and categories of a CollectionFhir text, and at resources that rules made.</summary>
internal sealed class FhirMappingLint(Action<Issue> report)
{
    private const string Loinc = "http://loinc.org";

    public void CheckTemplates(ResourceNode root, IReadOnlySet<string> yielded)
    {
        foreach (var entry in Member(root, "template").Children)
        {
            var template = Member(entry, "template");
            var type = Member(template, "typeName").AsText() ?? "";
            var codes = Codes(Member(template, "codes"));
            CheckValue(codes, type, Member(template, "value"));
            foreach (var component in Member(template, "components").Children)
            {
                var value = Member(component, "value");
                CheckValue(Codes(Member(component, "codes")), Member(value, "valueName").AsText() ?? "", value);
            }

            if (codes.Exists(code => KnownCode.Find(code.Code) is { IsVitalSign: true }) && Member(template, "category").Count == 0)
            {
                report(LintIssues.NoCategory(template.Position, type));
            }

            if (!yielded.Contains(type))
            {
                report(LintIssues.NeverReached(template.Position, type));
            }
        }
    }

    /// <summary>A resource that came out of a rule; findings are reported at the rule.</summary>
    public void CheckResource(ResourceNode resource, TextPosition at)
    {
        CheckElement(resource, at);
        foreach (var component in resource["component"u8].Children)
        {
            CheckElement(component, at);
        }

        if (resource["resourceType"u8].TextEquals("Observation"u8) && resource["category"u8].Count == 0
            && CodingsOf(resource, at).Exists(code => KnownCode.Find(code.Code) is { IsVitalSign: true }))
        {
            report(LintIssues.NoCategory(at, resource["code"u8]["text"u8].AsString() ?? "Observation"));
        }
    }

    private void CheckElement(ResourceNode element, TextPosition at)
    {
        var codes = CodingsOf(element, at);
        codes.ForEach(code => CheckCode(code, ""));
        var quantity = element["valueQuantity"u8];
        if (quantity.Exists)
        {
            CheckUnit(codes, quantity["code"u8].AsString() ?? quantity["unit"u8].AsString(), at, isCode: quantity["code"u8].Exists);
        }
    }

    private static List<Coding> CodingsOf(ResourceNode element, TextPosition at)
    {
        var codes = new List<Coding>();
        foreach (var coding in element["code"u8]["coding"u8].Children)
        {
            if (coding["system"u8].TextEquals("http://loinc.org"u8))
            {
                codes.Add(new Coding(coding["code"u8].AsText(), coding["display"u8].AsText(), at));
            }
        }

        return codes;
    }

    private void CheckValue(List<Coding> codes, string name, ResourceNode value)
    {
        codes.ForEach(code => CheckCode(code, name));
        var type = Member(value, "valueType").AsText();
        if (string.Equals(type, "Quantity", StringComparison.OrdinalIgnoreCase))
        {
            var (unit, code) = (Member(value, "unit"), Member(value, "code"));
            var place = code.Exists ? code : unit.Exists ? unit : value;
            CheckUnit(codes, code.AsText() ?? unit.AsText(), place.Position, code.Exists && Member(value, "system").AsText() is null or "http://unitsofmeasure.org");
        }
        else if (string.Equals(type, "SampledData", StringComparison.OrdinalIgnoreCase))
        {
            var unit = Member(value, "unit");
            CheckUnit(codes, unit.AsText(), unit.Exists ? unit.Position : value.Position, isCode: true);
        }
    }

    // What the display says, or else the name of the value, against what the code means.
    private void CheckCode(Coding coding, string name)
    {
        if (KnownCode.Find(coding.Code) is not { } known)
        {
            return;
        }

        var said = string.IsNullOrWhiteSpace(coding.Display) ? name : coding.Display;
        var meant = KnownCode.NamedBy(said);
        if (meant.Count > 0 && !meant.Contains(known) && !Overlaps(known, meant))
        {
            report(LintIssues.WrongCode(coding.At, known, said, meant));
        }
    }

    // Codes of one thing, such as the glucose in several fluids, may carry each other's words.
    private static bool Overlaps(KnownCode known, IReadOnlyList<KnownCode> meant) => meant.Any(other => other.Terms.Intersect(known.Terms, StringComparer.Ordinal).Any());

    private void CheckUnit(List<Coding> codes, string? unit, TextPosition at, bool isCode)
    {
        if (string.IsNullOrEmpty(unit))
        {
            report(LintIssues.NoUnitCode(at));
            return;
        }

        var ucum = Ucum.Standard.IsValid(unit) ? unit : UnitSpellings.Suggestion(unit);
        if (ucum != unit)
        {
            report(LintIssues.NotUcum(at, unit));
        }
        else if (!isCode)
        {
            report(LintIssues.NoUnitCode(at));
        }

        foreach (var known in codes.Select(code => KnownCode.Find(code.Code)).OfType<KnownCode>())
        {
            if (known.Unit is not null && ucum is not null && !Ucum.Standard.AreComparable(known.Unit, ucum))
            {
                report(LintIssues.WrongUnit(at, known, unit));
            }
        }
    }

    private static List<Coding> Codes(ResourceNode codes)
    {
        var list = new List<Coding>();
        foreach (var code in codes.Children)
        {
            if (Member(code, "system").AsText() == Loinc)
            {
                list.Add(new Coding(Member(code, "code").AsText(), Member(code, "display").AsText(), Member(code, "code") is { Exists: true } at ? at.Position : code.Position));
            }
        }

        return list;
    }

    private static ResourceNode Member(ResourceNode node, string name) => node.IsObject ? new TemplateReader(node, "", new LoadIssues()).Member(name) : default;

    private readonly record struct Coding(string? Code, string? Display, TextPosition At);
}
