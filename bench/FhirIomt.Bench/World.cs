using System.Text;
using System.Text.Json;

namespace FhirIomt.Bench;

/// <summary>Who sends and asks: a vendor whose mapping makes its devices and patients, and an EHR client.</summary>
internal sealed class World
{
    public const int Patients = 100;
    private const string Scopes = "system/*.cruds";

    private readonly string _binary;
    private readonly string _clientId;
    private readonly string _key;
    private readonly string _vendor;
    private string _token = "";
    private string[] _patients = [];
    private string[] _encounters = [];
    private string _whole = "";
    private long _second;

    private World(string binary, string clientId, string key, string vendor) => (_binary, _clientId, _key, _vendor) = (binary, clientId, key, vendor);

    public static World Create(string binary, BenchStore store, Workspace workspace)
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var point = key.ExportParameters(false).Q;
        var folder = workspace.Folder("keys");
        var keyFile = Path.Combine(folder, "key.pem");
        var jwks = Path.Combine(folder, "jwks.json");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(jwks, JsonSerializer.Serialize(new { keys = new[] { new { kty = "EC", crv = "P-384", kid = "k1", x = System.Buffers.Text.Base64Url.EncodeToString(point.X), y = System.Buffers.Text.Base64Url.EncodeToString(point.Y) } } }));
        var mappings = Path.Combine(workspace.Root, "bench", "FhirIomt.Bench", "mapping");
        Workspace.Run(binary, ["mapping", "add", "bench", "--device", Path.Combine(mappings, "device.json"), "--fhir", Path.Combine(mappings, "fhir.json"), "--identity", "create", .. store.Options]);
        var client = Text(Workspace.Run(binary, ["client", "add", "bench", "--jwks", jwks, "--scopes", Scopes, .. store.Options]), "client_id");
        var vendor = Text(Workspace.Run(binary, ["vendor", "add", "bench", .. store.Options]), "credential");
        return new World(binary, client, keyFile, vendor);
    }

    /// <summary>A new token: one lasts five minutes.</summary>
    public void Authorize(int port) =>
        _token = Workspace.Run(_binary, "client", "token", "--client-id", _clientId, "--key", _key, "--scopes", Scopes, "--server", $"http://127.0.0.1:{port}");

    public async Task PrepareAsync(int port)
    {
        Authorize(port);
        using var http = new HttpClient();
        using var first = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/devices/messages?mapping=bench") { Content = new ByteArrayContent(Body(Patients)) };
        first.Content.Headers.ContentType = new("application/json");
        first.Headers.Authorization = new("Bearer", _vendor);
        using var answer = await http.SendAsync(first);
        await FindPatientsAsync(port);
    }

    public async Task FindPatientsAsync(int port)
    {
        using var http = new HttpClient();
        using var patients = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Patient?_count=200");
        _patients = [.. patients.RootElement.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!)];
    }

    /// <summary>An encounter with ten Observations for each patient, and one patient with a record of 1,000 resources.</summary>
    public async Task AddRecordsAsync(int port)
    {
        using var http = new HttpClient();
        _encounters = [.. _patients.Select((_, index) => $"bench-encounter-{index}")];
        await PostAsync(http, port, _encounters.Select((id, index) =>
            $$$"""{"resource":{"resourceType":"Encounter","id":"{{{id}}}","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/{{{_patients[index]}}}"}},"request":{"method":"PUT","url":"Encounter/{{{id}}}"}}"""));
        await PostAsync(http, port, _encounters.SelectMany((id, index) => Enumerable.Range(0, 10).Select(_ => Entry(Observation(_patients[index]).Replace("\"status\"", $"\"encounter\":{{\"reference\":\"Encounter/{id}\"}},\"status\"", StringComparison.Ordinal)))));
        _whole = "bench-whole";
        await PostAsync(http, port, ["""{"resource":{"resourceType":"Patient","id":"bench-whole","name":[{"family":"Whole"}]},"request":{"method":"PUT","url":"Patient/bench-whole"}}"""]);
        await PostAsync(http, port, Enumerable.Range(0, 999).Select(_ => Entry(Observation(_whole))));
    }

    /// <summary>A request of that many new readings, spread over all devices as a gateway's are.</summary>
    public string Token => _token;

    /// <summary>The credential of all devices.</summary>
    public string Vendor => _vendor;

    /// <summary>Makes that many devices, each with its patient.</summary>
    public async Task RegisterAsync(int port, int devices)
    {
        using var http = new HttpClient();
        foreach (var part in Enumerable.Range(0, devices).Chunk(1000))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/devices/messages?mapping=bench");
            request.Content = new StringContent($"[{string.Join(',', part.Select(device => $$"""{"device":"device-{{device}}","patient":"patient-{{device}}","at":"1999-12-31T00:00:00Z","hr":60}"""))}]", Encoding.UTF8, "application/json");
            request.Headers.Authorization = new("Bearer", _vendor);
            using var answer = await http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Up to fifty readings of a patient.</summary>
    public async Task<List<string>> IdsOfAsync(int port, string patient)
    {
        using var http = new HttpClient();
        using var page = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Observation?patient={patient}&_count=50");
        return [.. page.RootElement.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!)];
    }

    /// <summary>Sends one reading and asks for it until it is found.</summary>
    /// <param name="number">Tells its time from that of all others.</param>
    public async Task<TimeSpan> UntilSearchableAsync(HttpClient http, int port, int number)
    {
        var (at, clock) = ($"{DateTimeOffset.UnixEpoch.AddYears(20).AddSeconds(number):yyyy-MM-ddTHH:mm:ssZ}", System.Diagnostics.Stopwatch.StartNew());
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/devices/messages?mapping=bench");
        request.Content = new StringContent($$"""{"device":"device-0","patient":"patient-0","at":"{{at}}","hr":60}""", Encoding.UTF8, "application/json");
        request.Headers.Authorization = new("Bearer", _vendor);
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        while (true)
        {
            using var found = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Observation?patient.identifier=patient-0&date={at}&_summary=count");
            if (found.RootElement.GetProperty("total").GetInt32() > 0)
            {
                return clock.Elapsed;
            }
        }
    }

    public byte[] Messages(int count) => RawClient.Request("POST", "/devices/messages?mapping=bench", _vendor, "application/json", Body(count));

    public byte[] Post() => RawClient.Request("POST", "/fhir/Observation", _token, "application/fhir+json", Encoding.UTF8.GetBytes(Observation(_patients[_second % _patients.Length])));

    public byte[] Transaction(int count) =>
        RawClient.Request("POST", "/fhir", _token, "application/fhir+json", Encoding.UTF8.GetBytes(Bundle(Enumerable.Range(0, count).Select(number => Entry(Observation(_patients[number % _patients.Length]))))));

    public byte[] Read(string id) => RawClient.Request("GET", $"/fhir/Observation/{id}", _token);

    public byte[] Search(long number) => Get($"Observation?patient={Patient(number)}&code=http://loinc.org%7C8867-4&date=ge2000&_sort=-date&_count=50");

    public byte[] Include(long number) => Get($"Observation?patient={Patient(number)}&_sort=-date&_count=10&_include=Observation:subject&_include=Observation:device");

    public byte[] ReverseInclude(long number) => Get($"Encounter?_id={_encounters[number % _encounters.Length]}&_revinclude=Observation:encounter");

    public byte[] Chain(long number) => Get($"Observation?patient.identifier=patient-{number % Patients}&code=http://loinc.org%7C8867-4&_sort=-date&_count=10");

    public byte[] Everything() => Get($"Patient/{_whole}/$everything");

    public byte[] Update(long number) => RawClient.Request("PUT", $"/fhir/Patient/bench-soak-{number % 50}", _token, "application/fhir+json", Encoding.UTF8.GetBytes($$$"""{"resourceType":"Patient","id":"bench-soak-{{{number % 50}}}","name":[{"family":"F{{{number}}}"}]}"""));

    public async Task<List<string>> SomeIdsAsync(int port)
    {
        using var http = new HttpClient();
        var ids = new List<string>();
        foreach (var patient in _patients.Take(100))
        {
            using var page = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Observation?patient={patient}&_count=50");
            ids.AddRange(page.RootElement.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!));
        }

        return ids;
    }

    public string Patient(long number) => _patients[number % _patients.Length];

    private byte[] Get(string path) => RawClient.Request("GET", "/fhir/" + path, _token);

    private string Observation(string patient)
    {
        var number = Interlocked.Increment(ref _second);
        return $$$"""{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/heartrate"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/{{{patient}}}"},"effectiveDateTime":"{{{DateTimeOffset.UnixEpoch.AddYears(50).AddSeconds(number):yyyy-MM-ddTHH:mm:ssZ}}}","valueQuantity":{"value":{{{60 + (number % 40)}}},"unit":"beats/min","system":"http://unitsofmeasure.org","code":"/min"}}""";
    }

    private static string Entry(string resource) => $$$"""{"resource":{{{resource}}},"request":{"method":"POST","url":"Observation"}}""";

    private static string Bundle(IEnumerable<string> entries) => $$"""{"resourceType":"Bundle","type":"transaction","entry":[{{string.Join(',', entries)}}]}""";

    private byte[] Body(int count)
    {
        var text = new StringBuilder("[", count * 110);
        for (var i = 0; i < count; i++)
        {
            var number = Interlocked.Increment(ref _second);
            text.Append(i == 0 ? "" : ",").Append($$$"""{"device":"device-{{{number % Patients}}}","patient":"patient-{{{number % Patients}}}","at":"{{{DateTimeOffset.UnixEpoch.AddYears(40).AddSeconds(number):yyyy-MM-ddTHH:mm:ssZ}}}","hr":{{{60 + (number % 40)}}}}""");
        }

        return Encoding.UTF8.GetBytes(text.Append(']').ToString());
    }

    private async Task PostAsync(HttpClient http, int port, IEnumerable<string> entries)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/fhir") { Content = new StringContent(Bundle(entries), Encoding.UTF8, "application/fhir+json") };
        request.Headers.Authorization = new("Bearer", _token);
        using var answer = await http.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
        }
    }

    private async Task<JsonDocument> SendAsync(HttpClient http, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", _token);
        using var answer = await http.SendAsync(request);
        return JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
    }

    public static string Text(string json, string name)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).GetString()!;
    }
}
