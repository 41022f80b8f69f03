using System.Text;
using System.Text.Json;
using SQLitePCL;

namespace FhirIomt.Bench;

/// <summary>The server from outside: a hundred patients with a device each, messages, single writes, reads and searches.</summary>
internal static class HttpBenchmarks
{
    private const int Patients = 100;
    private const int Clients = 16;
    private const string Scopes = "system/*.cruds";

    public static async Task RunAsync(Report report, string binary, Workspace workspace, bool quick)
    {
        var runs = quick ? 1 : 3;
        var duration = TimeSpan.FromSeconds(quick ? 2 : 6);
        var data = workspace.Folder("data");
        var world = World.Create(binary, data, workspace);
        using var echo = await RunningServer.StartAsync("/", Environment.ProcessPath!, "echo", "PORT");
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, "serve", "--urls", "http://127.0.0.1:PORT", "--data", data);
        await world.PrepareAsync(server.Port);

        var echoSmall = (await RawClient.RunAsync(echo.Port, Clients, duration, (_, _) => RawClient.Request("GET", "/1200", null), 200)).PerSecond;
        report.Add("bare Kestrel, 1.2 kB answers (floor)", "requests/s", [echoSmall]);

        foreach (var (batch, clients, budget) in new[] { (1, Clients, (string?)null), (100, 8, null), (1000, 4, "≥ 10,000/s") })
        {
            var floor = SqliteFloor.Run(workspace.Folder("floor"), batch, duration.TotalSeconds / 2);
            var rates = await RepeatAsync(runs, async () => batch * (await RawClient.RunAsync(server.Port, clients, duration, (client, number) => world.Messages(batch), 200)).PerSecond);
            report.Add($"messages stored, {batch} in a request, {clients} clients", "messages/s", rates, $"SQLite, {batch} in a commit,", floor, budget);
        }

        world.Authorize(server.Port);
        var single = SqliteFloor.Run(workspace.Folder("floor"), Clients, duration.TotalSeconds / 2);
        report.Add($"POST Observation, {Clients} clients", "requests/s", await RepeatAsync(runs, async () => (await RawClient.RunAsync(server.Port, Clients, duration, (_, _) => world.Post(), 201)).PerSecond), $"SQLite, {Clients} in a commit,", single, "≥ 4,000/s");

        await FillAsync(world, server.Port, workspace, data, 100_000);
        report.Add("stored Observations before reads", "", [Count(data, "SELECT count(*) FROM timeline")]);
        report.Add("index rows for an Observation", "rows", [RowsPerObservation(data)], budget: "≤ 8");
        report.Add("disk for an Observation, receipts included", "bytes", [new DirectoryInfo(data).GetFiles("*.db").Sum(file => file.Length) / Count(data, "SELECT count(*) FROM timeline")], budget: "< 2,048");

        world.Authorize(server.Port);
        var ids = await world.SomeIdsAsync(server.Port);
        var reads = new List<Load>();
        for (var run = 0; run < runs; run++)
        {
            reads.Add(await RawClient.RunAsync(server.Port, Clients, duration, (client, number) => world.Read(ids[(int)((client * 7919 + number) % ids.Count)]), 200));
        }

        report.Add($"read by id, {Clients} clients", "requests/s", [.. reads.Select(load => load.PerSecond)], "Kestrel", echoSmall, "≥ 15,000/s");
        report.Add("read by id, p99", "ms", [.. reads.Select(load => load.P99)]);
        world.Authorize(server.Port);
        var echoPage = (await RawClient.RunAsync(echo.Port, Clients, duration, (_, _) => RawClient.Request("GET", "/65000", null), 200)).PerSecond;
        var searches = new List<Load>();
        for (var run = 0; run < runs; run++)
        {
            searches.Add(await RawClient.RunAsync(server.Port, Clients, duration, (client, number) => world.Search((int)((client * 31 + number) % Patients)), 200));
        }

        report.Add($"search patient+code, 50 newest, {Clients} clients", "requests/s", [.. searches.Select(load => load.PerSecond)], "Kestrel, 65 kB,", echoPage, "≥ 3,000/s");
        report.Add("search, p99", "ms", [.. searches.Select(load => load.P99)]);
        report.Add("memory after the run", "MB", [server.ResidentBytes / 1024.0 / 1024.0]);
    }

    private static async Task<List<double>> RepeatAsync(int runs, Func<Task<double>> measure)
    {
        var results = new List<double>();
        for (var run = 0; run < runs; run++)
        {
            results.Add(await measure());
        }

        return results;
    }

    private static async Task FillAsync(World world, int port, Workspace workspace, string data, int wanted)
    {
        while (Count(data, "SELECT count(*) FROM timeline") < wanted)
        {
            await RawClient.RunAsync(port, 4, TimeSpan.FromSeconds(2), (_, _) => world.Messages(1000), 200);
        }
    }

    private static double RowsPerObservation(string data) => new[]
    {
        "SELECT count(*) FROM timeline", "SELECT count(*) FROM token_index i JOIN parameter p ON p.id=i.parameter JOIN resource_type t ON t.id=p.type WHERE t.name='Observation'",
        "SELECT count(*) FROM identifier_index i JOIN parameter p ON p.id=i.parameter JOIN resource_type t ON t.id=p.type WHERE t.name='Observation'",
        "SELECT count(*) FROM reference_index i JOIN parameter p ON p.id=i.parameter JOIN resource_type t ON t.id=p.type WHERE t.name='Observation'",
        "SELECT count(*) FROM date_index i JOIN parameter p ON p.id=i.parameter JOIN resource_type t ON t.id=p.type WHERE t.name='Observation'",
    }.Sum(sql => Count(data, sql)) / Count(data, "SELECT count(*) FROM timeline");

    private static double Count(string data, string sql)
    {
        raw.sqlite3_open(Path.Combine(data, "fhiriomt.db"), out var db);
        raw.sqlite3_prepare_v2(db, sql, out var statement);
        raw.sqlite3_step(statement);
        var count = raw.sqlite3_column_int64(statement, 0);
        statement.Dispose();
        raw.sqlite3_close(db);
        return count;
    }

    /// <summary>Who sends and asks: a vendor whose mapping makes its devices and patients, and an EHR client.</summary>
    private sealed class World
    {
        private readonly string _binary;
        private readonly string _clientId;
        private readonly string _key;
        private readonly string _vendor;
        private string _token = "";
        private string[] _patients = [];
        private long _second;

        private World(string binary, string clientId, string key, string vendor) => (_binary, _clientId, _key, _vendor) = (binary, clientId, key, vendor);

        public static World Create(string binary, string data, Workspace workspace)
        {
            using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
            var point = key.ExportParameters(false).Q;
            var keyFile = Path.Combine(data, "key.pem");
            var jwks = Path.Combine(data, "jwks.json");
            File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(jwks, JsonSerializer.Serialize(new { keys = new[] { new { kty = "EC", crv = "P-384", kid = "k1", x = System.Buffers.Text.Base64Url.EncodeToString(point.X), y = System.Buffers.Text.Base64Url.EncodeToString(point.Y) } } }));
            var mappings = Path.Combine(workspace.Root, "bench", "FhirIomt.Bench", "mapping");
            Workspace.Run(binary, "mapping", "add", "bench", "--device", Path.Combine(mappings, "device.json"), "--fhir", Path.Combine(mappings, "fhir.json"), "--identity", "create", "--data", data);
            var client = Text(Workspace.Run(binary, "client", "add", "bench", "--jwks", jwks, "--scopes", Scopes, "--data", data), "client_id");
            var vendor = Text(Workspace.Run(binary, "vendor", "add", "bench", "--data", data), "credential");
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
            using var patients = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Patient?_count=200");
            _patients = [.. patients.RootElement.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!)];
        }

        /// <summary>A request of that many new readings, spread over all devices as a gateway's are.</summary>
        public byte[] Messages(int count) => RawClient.Request("POST", "/devices/messages?mapping=bench", _vendor, "application/json", Body(count));

        public byte[] Post()
        {
            var number = Interlocked.Increment(ref _second);
            var patient = _patients[number % Patients];
            var body = $$$"""{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/heartrate"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/{{{patient}}}"},"effectiveDateTime":"{{{DateTimeOffset.UnixEpoch.AddYears(50).AddSeconds(number):yyyy-MM-ddTHH:mm:ssZ}}}","valueQuantity":{"value":72,"unit":"beats/min","system":"http://unitsofmeasure.org","code":"/min"}}""";
            return RawClient.Request("POST", "/fhir/Observation", _token, "application/fhir+json", Encoding.UTF8.GetBytes(body));
        }

        public byte[] Read(string id) => RawClient.Request("GET", $"/fhir/Observation/{id}", _token);

        public byte[] Search(int patient) => RawClient.Request("GET", $"/fhir/Observation?patient={_patients[patient]}&code=http://loinc.org%7C8867-4&_sort=-date&_count=50", _token);

        public async Task<List<string>> SomeIdsAsync(int port)
        {
            using var http = new HttpClient();
            var ids = new List<string>();
            foreach (var patient in _patients)
            {
                using var page = await SendAsync(http, $"http://127.0.0.1:{port}/fhir/Observation?patient={patient}&_count=50");
                ids.AddRange(page.RootElement.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!));
            }

            return ids;
        }

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

        private async Task<JsonDocument> SendAsync(HttpClient http, string url)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Authorization = new("Bearer", _token);
            using var answer = await http.SendAsync(request);
            return JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
        }

        private static string Text(string json, string name)
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty(name).GetString()!;
        }
    }
}
