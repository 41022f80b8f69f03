namespace FhirIomt.Storage.Tests;

/// <summary>Valid R4 resources, with only what a test needs to say.</summary>
internal static class Sample
{
    public const string Loinc = "http://loinc.org";

    public static string Patient(string family = "Chalmers", string more = "") =>
        $$"""{"resourceType":"Patient","name":[{"family":"{{family}}","given":["Peter"]}]{{Also(more)}}}""";

    public static string Device(string serial, string? patient = null) =>
        $$"""{"resourceType":"Device","identifier":[{"system":"urn:example:serial","value":"{{serial}}"}]{{(patient is null ? "" : $$""","patient":{"reference":"Patient/{{patient}}"}""")}}}""";

    public static string HeartRate(string? subject = "Patient/pa", string? effective = "2026-02-01T10:00:00Z", string code = "8867-4", string category = "vital-signs", string more = "") =>
        Observation($$"""{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]}""", subject, effective is null ? null : $"\"effectiveDateTime\":\"{effective}\"", category, more);

    public static string InPeriod(string? start, string? end, string subject = "Patient/pa")
    {
        string?[] parts = [start is null ? null : $"\"start\":\"{start}\"", end is null ? null : $"\"end\":\"{end}\""];
        return Observation("""{"coding":[{"system":"http://loinc.org","code":"8867-4"}]}""", subject, $"\"effectivePeriod\":{{{string.Join(',', parts.OfType<string>())}}}", "vital-signs", "");
    }

    public static string Observation(string code, string? subject, string? effective, string category, string more)
    {
        string?[] members =
        [
            "\"resourceType\":\"Observation\"", "\"status\":\"final\"",
            $$"""
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{{category}}"}]}]
            """.Trim(),
            $"\"code\":{code}",
            subject is null ? null : $"\"subject\":{{\"reference\":\"{subject}\"}}",
            effective,
            more.Length == 0 ? null : more,
        ];
        return $"{{{string.Join(',', members.OfType<string>())}}}";
    }

    private static string Also(string more) => more.Length == 0 ? "" : "," + more;
}
