using FhirIomt.Core;

namespace FhirIomt.Validation;

/// <summary>One kind of finding: its stable code, its FHIR issue type and how to mend it.</summary>
internal readonly record struct Finding(string Code, IssueKind Kind, IssueSeverity Severity, string Fix);

/// <summary>Every finding of the validator: IOMT-0210 to IOMT-0249. (IOMT-0200 to IOMT-0202 belong to reading profiles.)</summary>
internal static class ValidationIssues
{
    public static readonly Finding UnknownResourceType = new("IOMT-0210", IssueKind.Structure, IssueSeverity.Error, "Give resourceType as the first member, with a FHIR R4 resource type.");
    public static readonly Finding UnknownMember = new("IOMT-0211", IssueKind.Structure, IssueSeverity.Error, "Remove it, correct its spelling, or use an extension.");
    public static readonly Finding WrongKind = new("IOMT-0212", IssueKind.Structure, IssueSeverity.Error, "Write the value in the JSON form of its type (FHIR R4 §2.6.2).");
    public static readonly Finding ArrayForSingle = new("IOMT-0213", IssueKind.Structure, IssueSeverity.Error, "Remove the array: the element does not repeat.");
    public static readonly Finding SingleForArray = new("IOMT-0214", IssueKind.Structure, IssueSeverity.Error, "Put the value into an array: the element may repeat.");
    public static readonly Finding Empty = new("IOMT-0215", IssueKind.Invariant, IssueSeverity.Error, "Remove it, or give it a value: FHIR has no empty elements (ele-1).");
    public static readonly Finding NullValue = new("IOMT-0216", IssueKind.Structure, IssueSeverity.Error, "Leave the member out; null stands only in arrays of primitives, beside an entry of the _ companion.");
    public static readonly Finding BadText = new("IOMT-0217", IssueKind.Value, IssueSeverity.Error, "Write the value in the form of its type (FHIR R4 §2.24.0.1).");
    public static readonly Finding EmptyText = new("IOMT-0218", IssueKind.Value, IssueSeverity.Error, "Leave the member out: a string has at least one character.");
    public static readonly Finding BadCompanion = new("IOMT-0219", IssueKind.Structure, IssueSeverity.Error, "A _ companion stands beside a primitive, in the same form, with null where an entry has no id or extension.");
    public static readonly Finding TwoChoices = new("IOMT-0220", IssueKind.Structure, IssueSeverity.Error, "Keep one form of the choice.");
    public static readonly Finding Missing = new("IOMT-0221", IssueKind.Required, IssueSeverity.Error, "Add the element.");
    public static readonly Finding TooMany = new("IOMT-0222", IssueKind.Structure, IssueSeverity.Error, "Remove the surplus.");
    public static readonly Finding NotInRequiredSet = new("IOMT-0223", IssueKind.CodeInvalid, IssueSeverity.Error, "Use a code of the value set.");
    public static readonly Finding NotInExtensibleSet = new("IOMT-0224", IssueKind.CodeInvalid, IssueSeverity.Warning, "Add a code of the value set if one fits.");
    public static readonly Finding WrongTarget = new("IOMT-0225", IssueKind.Structure, IssueSeverity.Error, "Refer to one of the allowed types.");
    public static readonly Finding BadReference = new("IOMT-0226", IssueKind.Value, IssueSeverity.Error, "Write Type/id, an absolute URL, urn:uuid:…, urn:oid:… or #id.");
    public static readonly Finding NotContained = new("IOMT-0227", IssueKind.Invariant, IssueSeverity.Error, "Add the contained resource or correct the id (ref-1).");
    public static readonly Finding AmbiguousReference = new("IOMT-0281", IssueKind.MultipleMatches, IssueSeverity.Error, "Give each entry a fullUrl of its own, and name the version where that tells them apart.");
    public static readonly Finding NotInBundle = new("IOMT-0282", IssueKind.NotFound, IssueSeverity.Error, "Add the entry, or write the reference so that the entry's fullUrl matches it.");
    public static readonly Finding BadFullUrl = new("IOMT-0283", IssueKind.Value, IssueSeverity.Error, "Give the entry an absolute fullUrl: urn:uuid:…, or the RESTful URL that ends with the resource's type and id.");
    public static readonly Finding Unreachable = new("IOMT-0284", IssueKind.Informational, IssueSeverity.Error, "Refer to the entry from the Composition or from what it refers to, or remove it.");
    public static readonly Finding UnknownCode = new("IOMT-0235", IssueKind.CodeInvalid, IssueSeverity.Error, "Use a code of the code system, or another system.");
    // A warning: published device mappings write codes of their own under LOINC's name, and a reading is worth more than its code.
    public static readonly Finding MalformedCode = new("IOMT-0236", IssueKind.CodeInvalid, IssueSeverity.Warning, "Correct the code: its form or check digit shows a mistake in writing.");
    public static readonly Finding MalformedUnit = new("IOMT-0236", IssueKind.CodeInvalid, IssueSeverity.Warning, "Write the unit as UCUM does (case counts): mm[Hg], /min, Cel, mg/dL.");
    public static readonly Finding OtherDisplay = new("IOMT-0237", IssueKind.Value, IssueSeverity.Warning, "Leave the display out, or use the code system's.");
    public static readonly Finding SupplementAsSystem = new("IOMT-0238", IssueKind.CodeInvalid, IssueSeverity.Error, "Name the code system that it supplements.");
    public static readonly Finding WrongSize = new("IOMT-0280", IssueKind.Value, IssueSeverity.Error, "State the size of the data before base64, or leave it out.");
    public static readonly Finding TargetMeetsNone = new("IOMT-0282", IssueKind.Structure, IssueSeverity.Error, "Change the resource referred to so that it meets one of the profiles, or refer to another.");
    public static readonly Finding WrongAggregation = new("IOMT-0282", IssueKind.Structure, IssueSeverity.Error, "Contain the resource, put it into the Bundle, or refer to it, as the profile asks.");
    public static readonly Finding WrongCanonicalType = new("IOMT-0225", IssueKind.Structure, IssueSeverity.Error, "Name a definition of an allowed type.");
    public static readonly Finding InvariantFails = new("IOMT-0228", IssueKind.Invariant, IssueSeverity.Error, "Change the resource so that the expression is true.");
    public static readonly Finding BestPracticeFails = new("IOMT-0229", IssueKind.Invariant, IssueSeverity.Warning, "Consider changing the resource so that the expression is true.");
    public static readonly Finding InvariantUnknown = new("IOMT-0230", IssueKind.Processing, IssueSeverity.Warning, "Mend the elements that the expression reads.");
    public static readonly Finding BadNarrative = new("IOMT-0231", IssueKind.Invariant, IssueSeverity.Error, "Write one XHTML div with text, of plain formatting elements only, without scripts (FHIR R4 §2.26.2).");
    public static readonly Finding TooManyIssues = new("IOMT-0232", IssueKind.TooCostly, IssueSeverity.Information, "Mend what is listed and validate again.");
    public static readonly Finding UnknownProfile = new("IOMT-0233", IssueKind.NotFound, IssueSeverity.Warning, "Load the profile, or leave the claim out.");
    public static readonly Finding ProfileOfOtherType = new("IOMT-0234", IssueKind.Structure, IssueSeverity.Error, "Name a profile of the resource's own type.");
    public static readonly Finding TooFewForProfile = new("IOMT-0240", IssueKind.Required, IssueSeverity.Error, "Add the element.");
    public static readonly Finding TooManyForProfile = new("IOMT-0241", IssueKind.Structure, IssueSeverity.Error, "Remove the surplus.");
    public static readonly Finding NotFixedValue = new("IOMT-0242", IssueKind.Value, IssueSeverity.Error, "Use exactly the value that the profile fixes.");
    public static readonly Finding NotPattern = new("IOMT-0243", IssueKind.Value, IssueSeverity.Error, "Include what the profile's pattern asks for.");
    public static readonly Finding WrongType = new("IOMT-0244", IssueKind.Structure, IssueSeverity.Error, "Use one of the types that the profile allows.");
    public static readonly Finding NoSlice = new("IOMT-0245", IssueKind.Structure, IssueSeverity.Error, "Remove the entry or make it fit a slice.");
    public static readonly Finding SliceOrder = new("IOMT-0246", IssueKind.Structure, IssueSeverity.Error, "Put the entries into the order of the slices.");
    public static readonly Finding UnreadableProfile = new("IOMT-0247", IssueKind.Processing, IssueSeverity.Error, "Validate the profile itself, and mend what is found.");
    public static readonly Finding OutOfRange = new("IOMT-0248", IssueKind.Value, IssueSeverity.Error, "Use a value within the profile's limits.");
    public static readonly Finding TooLong = new("IOMT-0249", IssueKind.TooLong, IssueSeverity.Error, "Shorten the text.");
}
