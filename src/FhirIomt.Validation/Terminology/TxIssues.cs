using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Validation.Terminology;

/// <summary>
/// Every finding of terminology: IOMT-0250 to IOMT-0279. Message ids and wording are those that FHIR validators expect from a terminology server
/// (HL7 terminology ecosystem guide): they compare them, so they are part of the protocol and not ours to improve.
/// </summary>
internal static class TxIssues
{
    public static TxIssue NoSystem(string path) =>
        Warning(IssueKind.Invalid, "IOMT-0250", "invalid-data", "Coding_has_no_system__cannot_validate", "Coding has no system. A code with no system has no defined meaning, and it cannot be validated. A system should be provided", path) with { InMessage = true };

    public static TxIssue RelativeSystem(string path) =>
        Error(IssueKind.Invalid, "IOMT-0251", "invalid-data", "Terminology_TX_System_Relative", "Coding.system must be an absolute reference, not a local reference", path);

    public static TxIssue SystemIsValueSet(string system, string path) =>
        Error(IssueKind.Invalid, "IOMT-0251", "invalid-data", "Terminology_TX_System_ValueSet2", $"The Coding references a value set, not a code system ('{system}')", path);

    public static TxIssue SystemIsSupplement(Canonical supplement, string path) =>
        Error(IssueKind.Invalid, "IOMT-0251", "invalid-data", "CODESYSTEM_CS_NO_SUPPLEMENT", $"CodeSystem {supplement} is a supplement, so can't be used as a value in Coding.system", path);

    public static TxIssue UnknownSystem(string system, string path) =>
        Error(IssueKind.NotFound, "IOMT-0252", "not-found", "UNKNOWN_CODESYSTEM", $"A definition for CodeSystem '{system}' could not be found, so the code cannot be validated", path);

    public static TxIssue UnknownVersion(string system, string version, IReadOnlyList<string> known, string path) => known.Count == 0
        ? Error(IssueKind.NotFound, "IOMT-0253", "not-found", "UNKNOWN_CODESYSTEM_VERSION_NONE", $"A definition for CodeSystem '{system}' version '{version}' could not be found, so the code cannot be validated. No versions of this code system are known", path)
        : Error(IssueKind.NotFound, "IOMT-0253", "not-found", "UNKNOWN_CODESYSTEM_VERSION", $"A definition for CodeSystem '{system}' version '{version}' could not be found, so the code cannot be validated. Valid versions: {Listed(known, "or")}", path);

    public static TxIssue UnknownSystemInExpansion(string system, string? version, IReadOnlyList<string> known) => version is null
        ? Error(IssueKind.NotFound, "IOMT-0252", "not-found", "UNKNOWN_CODESYSTEM_EXP", $"A definition for CodeSystem '{system}' could not be found, so the value set cannot be expanded")
        : known.Count == 0
            ? Error(IssueKind.NotFound, "IOMT-0253", "not-found", "UNKNOWN_CODESYSTEM_VERSION_EXP_NONE", $"A definition for CodeSystem '{system}' version '{version}' could not be found, so the value set cannot be expanded. No versions of this code system are known")
            : Error(IssueKind.NotFound, "IOMT-0253", "not-found", "UNKNOWN_CODESYSTEM_VERSION_EXP", $"A definition for CodeSystem '{system}' version '{version}' could not be found, so the value set cannot be expanded. Valid versions: {Listed(known, "or")}");

    public static TxIssue VersionNotAllowed(string system, string? version, string required, string? path) =>
        Error(IssueKind.Exception, "IOMT-0254", "version-error", "VALUESET_VERSION_CHECK", $"The version '{version}' is not allowed for system '{system}': required to be '{required}' by a version-check parameter", path);

    public static TxIssue VersionMismatch(string system, string version, string given, string path) =>
        Error(IssueKind.Invalid, "IOMT-0255", "vs-invalid", "VALUESET_VALUE_MISMATCH", $"The code system '{system}' version '{version}' in the ValueSet include is different to the one in the value ('{given}')", path);

    public static TxIssue VersionMismatchAfterRules(string system, string version, string? included, string given, string path) =>
        Error(IssueKind.Invalid, "IOMT-0255", "vs-invalid", "VALUESET_VALUE_MISMATCH_CHANGED", $"The code system '{system}' version '{version}' resulting from the version '{included}' in the ValueSet include is different to the one in the value ('{given}')", path);

    public static TxIssue VersionMismatchWithDefault(string system, string? version, string given, string path) =>
        Warning(IssueKind.Invalid, "IOMT-0255", "vs-invalid", "VALUESET_VALUE_MISMATCH_DEFAULT", $"The code system '{system}' version '{version}' for the versionless include in the ValueSet include is different to the one in the value ('{given}')", path);

    public static TxIssue UnknownValueSet(string canonical) =>
        Error(IssueKind.NotFound, "IOMT-0256", "not-found", "Unable_to_resolve_value_Set_", $"A definition for the value Set '{canonical}' could not be found");

    public static TxIssue UnknownImport(string importer, string canonical, bool pinned) => pinned
        ? Error(IssueKind.NotFound, "IOMT-0256", "not-found", "VS_EXP_IMPORT_UNK_PINNED", $"Unable to find included value set '{canonical}' (the version is set by a default-valueset-version parameter)")
        : Error(IssueKind.NotFound, "IOMT-0256", "not-found", "VS_EXP_IMPORT_UNK", $"Unable to find included value set '{canonical}' in '{importer}'");

    public static TxIssue Circular(IEnumerable<string> chain) =>
        Error(IssueKind.Processing, "IOMT-0257", "vs-invalid", "VALUESET_CIRCULAR_REFERENCE", $"Cyclic reference detected when processing value sets: {string.Join(" -> ", chain)}");

    public static TxIssue TooCostly(string? valueSet, int limit) =>
        Error(IssueKind.TooCostly, "IOMT-0258", "", "VALUESET_TOO_COSTLY", $"The value set '{valueSet}' expansion has too many codes to list (more than {limit}): ask for a page with count and offset, or narrow it with a filter");

    public static TxIssue TooManyImports(string valueSet) =>
        Error(IssueKind.TooCostly, "IOMT-0258", "", "VALUESET_TOO_COSTLY", $"The value set '{valueSet}' imports too many other value sets, or too deeply");

    public static TxIssue FilterWithoutValue(string system, string property, string op, string where) =>
        Error(IssueKind.Invalid, "IOMT-0259", "vs-invalid", "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE", $"The system {system} filter with property = {property}, op = {op} has no value", where);

    public static TxIssue FilterRefused(string system, string property, string op, string value, string reason, string where) =>
        Error(IssueKind.NotSupported, "IOMT-0259", "vs-invalid", "FILTER_NOT_UNDERSTOOD", $"The filter \"{property} {op} {value}\" on {system} cannot be used: {reason}", where);

    public static TxIssue MissingSupplement(string canonical) =>
        Error(IssueKind.NotFound, "IOMT-0260", "not-found", "VALUESET_SUPPLEMENT_MISSING", $"Required supplement not found: {canonical}");

    public static TxIssue NotInValueSet(string what, string valueSet, string path) =>
        Error(IssueKind.CodeInvalid, "IOMT-0261", "not-in-vs", "None_of_the_provided_codes_are_in_the_value_set_one", $"The provided code '{what}' was not found in the value set '{valueSet}'", path);

    public static TxIssue ThisNotInValueSet(string what, string valueSet, string path) =>
        NotInValueSet(what, valueSet, path) with { Severity = IssueSeverity.Information, TxCode = "this-code-not-in-vs", InMessage = false };

    public static TxIssue NoneInValueSet(string valueSet) =>
        Error(IssueKind.CodeInvalid, "IOMT-0261", "not-in-vs", "TX_GENERAL_CC_ERROR_MESSAGE", $"No valid coding was found for the value set '{valueSet}'");

    public static TxIssue UnknownCode(string code, string system, string? version, string path) => version is null
        ? Error(IssueKind.CodeInvalid, "IOMT-0262", "invalid-code", "Unknown_Code_in", $"Unknown code '{code}' in the CodeSystem '{system}'", path)
        : Error(IssueKind.CodeInvalid, "IOMT-0262", "invalid-code", "Unknown_Code_in_Version", $"Unknown code '{code}' in the CodeSystem '{system}' version '{version}'", path);

    public static TxIssue UnknownCodeInFragment(string code, string system, string? version, string path) =>
        Warning(IssueKind.CodeInvalid, "IOMT-0263", "invalid-code", "UNKNOWN_CODE_IN_FRAGMENT", $"Unknown Code '{code}' in the CodeSystem '{system}' version '{version}' - note that the code system is labeled as a fragment, so the code may be valid in some other fragment", path);

    public static TxIssue CannotInfer(string code, string valueSet, IReadOnlyCollection<string> systems, string path) =>
        Error(IssueKind.NotFound, "IOMT-0264", "cannot-infer", "UNABLE_TO_INFER_CODESYSTEM", $"The System URI could not be determined for the code '{code}' in the ValueSet '{valueSet}'{(systems.Count == 0 ? "" : $": none of its code systems has it ({string.Join(", ", systems)})")}", path);

    public static TxIssue ManySystems(string code, string valueSet, IEnumerable<string> systems, string path) =>
        Error(IssueKind.NotFound, "IOMT-0264", "cannot-infer", "Unable_to_resolve_system__value_set_has_multiple_matches", $"The System URI could not be determined for the code '{code}' in the ValueSet '{valueSet}': value set expansion has multiple matches: [{string.Join(", ", systems)}]", path);

    public static TxIssue AbstractCode(string system, string code, string path) =>
        Error(IssueKind.BusinessRule, "IOMT-0265", "code-rule", "ABSTRACT_CODE_NOT_ALLOWED", $"Code '{system}#{code}' is abstract, and not allowed in this context", path);

    public static TxIssue NotActive(string code, string path) =>
        Error(IssueKind.BusinessRule, "IOMT-0266", "code-rule", "STATUS_CODE_WARNING_CODE", $"The concept '{code}' is valid but is not active", path);

    public static TxIssue InactiveConcept(string code, string? status, string path) =>
        Warning(IssueKind.BusinessRule, "IOMT-0267", "code-comment", "INACTIVE_CONCEPT_FOUND", $"The concept '{code}' has a status of {(status is null or "inactive" ? "inactive" : $"{status} and inactive")} and its use should be reviewed", path) with { InMessage = true };

    public static TxIssue DeprecatedConcept(string code, string path) =>
        Warning(IssueKind.BusinessRule, "IOMT-0267", "code-comment", "DEPRECATED_CONCEPT_FOUND", $"The concept '{code}' is deprecated and its use should be reviewed", path) with { InMessage = true };

    public static TxIssue DeprecatedHere(string code, string system, string valueSet, string path) =>
        Warning(IssueKind.BusinessRule, "IOMT-0267", "code-comment", "CONCEPT_DEPRECATED_IN_VALUESET", $"The presence of the concept '{code}' in the system '{system}' in the value set {valueSet} is marked with a status of deprecated and its use should be reviewed", path);

    public static TxIssue CaseDiffers(string code, string right, Canonical system, string path) =>
        new(IssueSeverity.Information, IssueKind.BusinessRule, "IOMT-0268", "code-rule", "CODE_CASE_DIFFERENCE", $"The code '{code}' differs from the correct code '{right}' by case. Although the code system '{system}' is case insensitive, implementers are strongly encouraged to use the correct case anyway", path);

    public static TxIssue StatusOf(string status, string kind, Canonical canonical) =>
        new(IssueSeverity.Information, IssueKind.BusinessRule, "IOMT-0269", "status-check", "MSG_" + status.ToUpperInvariant(), $"Reference to {status} {kind} {canonical}");

    public static TxIssue NothingToValidate() =>
        Error(IssueKind.Invalid, "IOMT-0274", "", "", "Unable to find code to validate (looked for coding | codeableConcept | code+system | code+inferSystem in parameters");

    public static TxIssue BadRequest(string text) => Error(IssueKind.Invalid, "IOMT-0275", "", "", text);

    public static TxIssue TooMany(string text) => Error(IssueKind.TooCostly, "IOMT-0276", "", "", text);

    public static TxIssue BadLanguage(string text) =>
        Error(IssueKind.Processing, "IOMT-0277", "invalid-display", "INVALID_DISPLAY_NAME", $"Invalid displayLanguage: '{text}'");

    public static string Listed(IReadOnlyList<string> items, string conjunction) =>
        items.Count < 2 ? string.Concat(items) : $"{string.Join(", ", items.SkipLast(1))} {conjunction} {items[^1]}";

    public static TxIssue Error(IssueKind kind, string code, string txCode, string id, string text, string? path = null) => new(IssueSeverity.Error, kind, code, txCode, id, text, path);

    private static TxIssue Warning(IssueKind kind, string code, string txCode, string id, string text, string path) => new(IssueSeverity.Warning, kind, code, txCode, id, text, path);
}
