using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Loading;

/// <summary>Every finding about a mapping text: IOMT-0401 to IOMT-0412. All are collected; any error refuses the mapping.</summary>
internal sealed class LoadIssues
{
    private readonly List<Issue> _issues = [];

    public bool HasErrors { get; private set; }

    public IReadOnlyList<Issue> All => _issues;

    public void WrongTemplateType(ResourceNode at, string expected, string? actual) =>
        Add(at, IssueKind.Structure, "IOMT-0401", $"Expected templateType {expected}, found '{actual}'.", $"Set templateType to \"{expected}\".");

    public void WrongKind(ResourceNode at, string member, string expected) =>
        Add(at, IssueKind.Structure, "IOMT-0402", $"'{member}' must be {expected}.", $"Make '{member}' {expected}.");

    public void UnknownMember(ResourceNode at, string owner) =>
        Add(at, IssueKind.Structure, "IOMT-0403", $"{owner} has no member '{at.Name}'.", "Remove it or correct its spelling.");

    public void Missing(ResourceNode at, string member) =>
        Add(at, IssueKind.Required, "IOMT-0404", $"The required member '{member}' is missing.", $"Add '{member}'.");

    public void DuplicateType(ResourceNode at, string typeName) =>
        Add(at, IssueKind.Duplicate, "IOMT-0405", $"A second template for type '{typeName}'; names are compared without case.", "Keep one template per typeName.");

    public void BadPath(ResourceNode at, string language, string path, string message, int position) =>
        Add(at, IssueKind.Invalid, "IOMT-0406", $"{language} '{path}', character {position}: {message}", "Correct the expression.");

    public void BadValue(ResourceNode at, string member, string? value, string allowed) =>
        Add(at, IssueKind.Value, "IOMT-0408", $"'{value}' is not a value of '{member}'.", $"Use {allowed}.");

    public void ComponentWithoutValue(ResourceNode at) =>
        Add(at, IssueKind.Required, "IOMT-0411", "A component has no 'value'.", "Give the component a value, or remove it.");

    public void NoFhirTemplate(string typeName) =>
        Warn("IOMT-0409", $"No FHIR template has typeName '{typeName}': its readings cannot become resources.", "Add a CodeValueFhir template of that typeName.");

    public void ValueNeverExtracted(string typeName, string valueName) =>
        Warn("IOMT-0410", $"The FHIR template '{typeName}' takes value '{valueName}', which no device template of that type extracts (names are compared with case).", "Make both names the same.");

    public void NoCorrelation(string typeName) =>
        Warn("IOMT-0435", $"The FHIR template '{typeName}' groups by correlation id, which a device template of that type does not extract: its readings will be refused.", "Add a correlationIdExpression to the device template.");

    public void BadRule(ResourceNode at, string message, string fix) => Add(at, IssueKind.Invalid, "IOMT-0450", message, fix);

    public void Add(Issue issue)
    {
        HasErrors |= issue.Refuses;
        _issues.Add(issue);
    }

    private void Warn(string code, string message, string fix) => Add(Issue.Warning(IssueKind.BusinessRule, code, message, fix: fix));

    private void Add(ResourceNode at, IssueKind kind, string code, string message, string fix) =>
        Add(new Issue(IssueSeverity.Error, kind, code, message) { Position = at.Position, Fix = fix });
}
