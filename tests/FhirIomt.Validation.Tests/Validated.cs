using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Tests;

/// <summary>One validator for all tests, and short forms to ask it.</summary>
internal static class Validated
{
    public static ResourceValidator Validator { get; } = new(FhirDefinitions.R4);

    public static IReadOnlyList<Issue> Json(string json, params string[] profiles) => Validator.Validate(JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require(), profiles);

    /// <summary>"code expression" of the errors, in order.</summary>
    public static string[] Errors(string json, params string[] profiles) =>
        [.. Json(json, profiles).Where(issue => issue.Refuses).Select(issue => $"{issue.Code} {issue.Expression}")];
}
