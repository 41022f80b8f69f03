using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>Every refusal of a search URL: IOMT-0700 to IOMT-0729.</summary>
public static class SearchIssues
{
    public static Issue UnknownParameter(string type, string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0700", $"'{Shorten(code)}' is not a search parameter of {type} on this server.", code, "See the CapabilityStatement at /metadata, or send 'Prefer: handling=lenient' to have unknown parameters ignored.");

    public static Issue UnknownModifier(string code, string modifier) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0701", $"The modifier ':{Shorten(modifier)}' is not supported on '{code}'.", code, "Remove the modifier.");

    public static Issue BadValue(string code, string value, string expected) =>
        Issue.Error(IssueKind.Value, "IOMT-0702", $"'{Shorten(value)}' is not a value for '{code}'.", code, $"Give {expected}.");

    public static Issue TooMany(string what, int limit) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0703", $"At most {limit} {what} are taken.", fix: "Split the search.");

    public static Issue BadSort(string code, string why) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0704", $"Results cannot be sorted by '{Shorten(code)}': {why}.", "_sort", $"Sort by up to {SearchLimits.MaxSortKeys} search parameters of the type, each with '-' before it for descending; over several types by _lastUpdated only.");

    public static Issue BadInclude(string rule) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0705", $"'{Shorten(rule)}' is not an include of this search.", "_include", "Write Type:parameter, Type:parameter:TargetType or Type:*, with a reference parameter; _include starts from the type that is searched and _revinclude leads to it, unless :iterate says otherwise.");

    public static Issue BadCursor() =>
        Issue.Error(IssueKind.Value, "IOMT-0706", "The page cursor does not belong to this search.", "_cursor", "Follow the 'next' link as it was given, or start the search again.");

    public static Issue NotIndexed(string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0707", $"Searching by '{Shorten(code)}' is not supported.", code, "See the CapabilityStatement at /metadata for what is.");

    public static Issue BadChain(string code, string? type) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0708", type is null ? $"'{code}' refers to nothing that a chain could follow." : $"'{code}' does not refer to a '{Shorten(type)}'.", code, "Chain from reference parameters, to a type that they allow: subject:Patient.name.");

    public static Issue ChainNeedsType(string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0709", $"'{code}' may refer to any type.", code, $"Say which: {code}:Patient.name.");

    public static Issue BadHas(string name) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0710", $"'{Shorten(name)}' is not a reverse chain to this type.", "_has", "Write _has:Type:parameter:condition, with a reference parameter of that type which may refer to the type that is searched.");

    public static Issue NotAlongCanonicals(string code) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0722", $"'{code}' refers by canonical URL, which chains and _has do not follow.", code, $"Find the other resource by itself, then search by its url, or take it along with _include.");

    public static Issue BadFilter(string message, int column) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0711", $"The filter cannot be read at character {column}: {message}.", "_filter", "Write conditions such as: name co \"pet\" and (birthdate ge 2014-10-10 or not (gender eq male)).");

    public static Issue UnknownSet(string code, string url) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0712", $"'{Shorten(url)}' is unknown here, or its codes cannot be listed.", code, "Name a value set or code system whose content is on this server.");

    public static Issue ContainedNotSearched(string with) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0713", $"Contained resources are not searched {with}.", "_contained", "Search one type by what stands in the resource itself, without an order or includes; or leave _contained out.");

    public static Issue ContainedNotCounted(int most) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0719", $"More than {most} resources contain one of the type, so those that match are not counted.", "_contained", "Read the pages without _total and _summary=count.");

    public static Issue NotInCompartment(string compartment, string type) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0714", $"{type} is not in the {compartment} compartment.", fix: $"See CompartmentDefinition/{compartment.ToLowerInvariant()} for the types that are.");

    public static Issue BeingIndexed(string code) =>
        Issue.Error(IssueKind.Transient, "IOMT-0715", $"'{Shorten(code)}' is still being indexed, so a search by it would miss resources.", code, "Run $reindex on its SearchParameter and wait until that says it is complete.");

    public static Issue IncludesCut() =>
        Issue.Warning(IssueKind.TooCostly, "IOMT-0716", $"More than {SearchLimits.MaxIncluded} resources belong to this page through _include and _revinclude; the others are left out.", "_include", "Ask for smaller pages, or search for them by themselves.");

    public static Issue TooManyUnits(string code) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0717", $"More than {SearchLimits.MaxComparableUnits} stored units compare with the one in '{code}'.", code, "Give the unit's code without its system (number||code).");

    public static Issue UnknownSearchedType(string type) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0718", $"'{Shorten(type)}' is not a resource type.", "_type", "Give R4 resource types, separated by commas.");

    public static Issue EmptyCondition() =>
        Issue.Error(IssueKind.Value, "IOMT-0627", "A condition must be a search with at least one criterion, such as identifier=system|value.", fix: "Give a search parameter of the type.");

    public static Issue BadExpression(string why) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0720", $"The expression cannot be read: {why}", "SearchParameter.expression", "Mend the FHIRPath expression.");

    public static Issue NotUsable(string element, string why) =>
        Issue.Warning(IssueKind.NotSupported, "IOMT-0721", $"The parameter is stored, but nothing is searched by it: {why}.", $"SearchParameter.{element}");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
