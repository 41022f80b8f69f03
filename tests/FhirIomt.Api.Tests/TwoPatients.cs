using FhirIomt.Tests;

namespace FhirIomt.Api.Tests;

/// <summary>Two patients with everything that could lead from one to the other; TA is a token for the first.</summary>
public sealed class TwoPatients : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    internal FhirCaller All { get; private set; } = null!;

    internal FhirCaller Ta { get; private set; } = null!;

    internal Record A { get; private set; } = null!;

    internal Record B { get; private set; } = null!;

    /// <summary>Of the first patient, and refers to the second in every way that there is.</summary>
    internal string Mixed { get; private set; } = "";

    internal string Group { get; private set; } = "";

    internal string List { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync();
        All = await Server.CallerAsync("system/*.cruds");
        (A, B) = (await RecordAsync("Ashton"), await RecordAsync("Bexley"));
        Ta = Server.Caller("patient/*.cruds", patient: A.Patient);
        Mixed = await All.CreateAsync(Given.Observation(A.Patient).Replace("\"effectiveDateTime\"", $$"""
            "performer":[{"reference":"Patient/{{B.Patient}}"}],"focus":[{"reference":"Patient/{{B.Patient}}"}],"encounter":{"reference":"Encounter/{{B.Encounter}}"},
            "hasMember":[{"reference":"Observation/{{B.Vital}}"}],"device":{"reference":"Device/{{B.Device}}"},"effectiveDateTime"
            """, StringComparison.Ordinal));
        await All.CreateAsync(Given.Observation(B.Patient).Replace("\"effectiveDateTime\"", $$""" "performer":[{"reference":"Patient/{{A.Patient}}"}],"focus":[{"reference":"Patient/{{A.Patient}}"}],"effectiveDateTime" """, StringComparison.Ordinal));
        Group = await All.CreateAsync($$$"""{"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/{{{A.Patient}}}"}},{"entity":{"reference":"Patient/{{{B.Patient}}}"}}]}""");
        List = await All.CreateAsync($$$"""{"resourceType":"List","status":"current","mode":"working","subject":{"reference":"Patient/{{{A.Patient}}}"},"entry":[{"item":{"reference":"Observation/{{{A.Vital}}}"}},{"item":{"reference":"Observation/{{{B.Vital}}}"}}]}""");
        await All.CreateAsync($$$"""{"resourceType":"List","status":"current","mode":"working","subject":{"reference":"Patient/{{{B.Patient}}}"},"entry":[{"item":{"reference":"Observation/{{{A.Vital}}}"}}]}""");
        await All.CreateAsync($$$"""{"resourceType":"Appointment","status":"proposed","participant":[{"actor":{"reference":"Patient/{{{A.Patient}}}"},"status":"accepted"},{"actor":{"reference":"Patient/{{{B.Patient}}}"},"status":"accepted"}]}""");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private async Task<Record> RecordAsync(string family)
    {
        var patient = await All.CreateAsync(Given.Patient(family, mrn: "mrn-" + family));
        var device = await All.CreateAsync($$"""{"resourceType":"Device","serialNumber":"{{family}}","identifier":[{"system":"urn:example:device","value":"{{family}}"}],"patient":{"reference":"Patient/{{patient}}"} }""");
        var metric = await All.CreateAsync($$"""{"resourceType":"DeviceMetric","type":{"text":"pulse"},"source":{"reference":"Device/{{device}}"},"category":"measurement"}""");
        var encounter = await All.CreateAsync($$"""{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/{{patient}}"} }""");
        var condition = await All.CreateAsync($$"""{"resourceType":"Condition","code":{"text":"{{family}}"},"subject":{"reference":"Patient/{{patient}}"} }""");
        var document = await All.CreateAsync($$"""{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/{{patient}}"},"content":[{"attachment":{"contentType":"text/plain"} }]}""");
        var binary = await All.CreateAsync($$"""{"resourceType":"Binary","contentType":"text/plain","data":"c2VjcmV0","securityContext":{"reference":"DocumentReference/{{document}}"} }""");
        var bare = await All.CreateAsync("""{"resourceType":"Binary","contentType":"text/plain","data":"c2VjcmV0"}""");
        var vital = await All.CreateAsync(Given.Observation(patient, mrn: "vital-" + family));
        var laboratory = await All.CreateAsync(Given.Observation(patient, category: "laboratory", mrn: "laboratory-" + family));
        return new Record(patient, device, metric, encounter, condition, document, binary, bare, vital, laboratory);
    }

    internal sealed record Record(string Patient, string Device, string Metric, string Encounter, string Condition, string Document, string Binary, string BareBinary, string Vital, string Laboratory)
    {
        public IEnumerable<string> Ids => [Patient, Device, Metric, Encounter, Condition, Document, Binary, Vital, Laboratory];

        public IEnumerable<string> Paths =>
        [
            $"Patient/{Patient}", $"Device/{Device}", $"DeviceMetric/{Metric}", $"Encounter/{Encounter}", $"Condition/{Condition}", $"DocumentReference/{Document}", $"Binary/{Binary}", $"Observation/{Vital}", $"Observation/{Laboratory}",
        ];
    }

    /// <summary>A hidden id answers as one that never existed: status, body and headers, byte by byte.</summary>
    internal static async Task AssertUnknownAsync(Func<string, Task<Answer>> ask, string hidden)
    {
        const string Never = "never-existed";
        var (one, other) = (await ask(hidden), await ask(Never));
        Assert.Equal(other.Status, one.Status);
        Assert.Equal(other.Body.Replace(Never, "ID", StringComparison.Ordinal), one.Body.Replace(hidden, "ID", StringComparison.Ordinal));
        Assert.Equal(Headers(other), Headers(one));
    }

    private static IEnumerable<string> Headers(Answer answer) => answer.Response.Headers.Concat(answer.Response.Content.Headers)
        .Where(header => header.Key is not ("Date" or "Content-Length")).Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal);
}
