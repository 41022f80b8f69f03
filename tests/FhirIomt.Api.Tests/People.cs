using FhirIomt.Access;
using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Clinicians, their patients, and what those have decided.</summary>
internal static class People
{
    public const string Practitioner = """{"resourceType":"Practitioner","name":[{"family":"Blackwell"}]}""";

    public static AccessUser Clinician(string doctor) => new(Given.Unique("user"), UserRole.Clinician, $"Practitioner/{doctor}");

    public static AccessUser Patient(string patient) => new(Given.Unique("user"), UserRole.Patient, $"Patient/{patient}");

    public static string PatientOf(string doctor, string? id = null) =>
        Given.Patient(id: id).Replace("\"gender\"", $"\"generalPractitioner\":[{{\"reference\":\"Practitioner/{doctor}\"}}],\"gender\"", StringComparison.Ordinal);

    public static string Team(string patient, string doctor) =>
        $$$"""{"resourceType":"CareTeam","status":"active","subject":{"reference":"Patient/{{{patient}}}"},"participant":[{"member":{"reference":"Practitioner/{{{doctor}}}"}}]}""";

    /// <param name="provision">Its members, without braces.</param>
    public static string Consent(string patient, string provision, string status = "active", string scope = "patient-privacy", string? id = null) =>
        $$$"""
        {"resourceType":"Consent"{{{(id is null ? "" : $",\"id\":\"{id}\"")}}},"status":"{{{status}}}","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"{{{scope}}}"}]},
         "category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/{{{patient}}}"},
         "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},"provision":{ {{{provision}}} } }
        """;

    public static string Actor(string reference) => $$"""
        {"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleClass","code":"AGNT"}]},"reference":{{reference}} }
        """;

    public static string App(string client) => Actor($$$"""{"identifier":{"value":"{{{client}}}"}}""");

    public static string Member(string reference) => Actor($$"""{"reference":"{{reference}}"}""");

    /// <summary>A resource with security labels, as <c>system|code</c>.</summary>
    public static string Labelled(string resource, params string[] labels)
    {
        var codings = labels.Select(label => label.Split('|')).Select(parts => $"{{\"system\":\"{parts[0]}\",\"code\":\"{parts[1]}\"}}");
        var start = resource.IndexOf(',', StringComparison.Ordinal);
        return $"{resource[..start]},\"meta\":{{\"security\":[{string.Join(',', codings)}]}}{resource[start..]}";
    }

    public static async Task<string> StatusesAsync(FhirCaller caller, params string[] paths)
    {
        var statuses = new List<int>();
        foreach (var path in paths)
        {
            statuses.Add((await caller.GetAsync(path)).Status);
        }

        return string.Join(' ', statuses);
    }

    public static int Total(this Answer answer) => answer.Json.GetProperty("total").GetInt32();
}
