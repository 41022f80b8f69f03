using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;

namespace FhirIomt.Bench;

/// <summary>What deciding costs: the same reads and searches with a token that may see everything, one for a patient, and one of a clinician with ten thousand patients, in turns.</summary>
internal static class AccessBenchmarks
{
    private const int Clients = 16;
    private const int Others = 10_000;

    public static async Task RunAsync(Report report, string binary, Workspace workspace, string engine, bool quick)
    {
        // One person asks here as fast as ten thousand would; the server inherits this.
        Environment.SetEnvironmentVariable("FHIRIOMT_Limits__PerUser", "0");
        Environment.SetEnvironmentVariable("FHIRIOMT_Limits__SignInPerAddress", "0");
        var store = BenchStore.Make(engine, workspace, "access");
        var world = World.Create(binary, store, workspace);
        var client = World.Text(Workspace.Run(binary, ["client", "add", "bench app", "--type", "public", "--redirect-uri", SignIn.Redirect, "--scopes", "launch/patient patient/*.rs user/*.rs", .. store.Options]), "client_id");
        Workspace.RunWithInput(SignIn.Password + "\n", binary, ["user", "add", SignIn.User, "--role", "clinician", "--fhir-user", "Practitioner/bench-dr", "--password-stdin", .. store.Options]);
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]);
        await world.PrepareAsync(server.Port);
        await AddPatientsAsync(world, server.Port);
        for (var batch = 0; batch < 40; batch++)
        {
            await RawClient.RunAsync(server.Port, 1, TimeSpan.FromMilliseconds(50), (_, _) => world.Messages(1000), 200);
        }

        using var signIn = new SignIn(server.Port, client);
        var patient = await signIn.TokenAsync("launch/patient patient/*.rs", world.Patient(0));
        var user = await signIn.TokenAsync("user/*.rs");
        (string Name, string Token)[] tokens = [("system/*.cruds", world.Token), ("patient/*.rs", patient), ($"user/*.rs of a clinician with {Others + World.Patients:N0} patients", user)];
        var ids = await world.IdsOfAsync(server.Port, world.Patient(0));
        await CompareAsync(report, store, "read by id", "≥ 0.95", tokens, server.Port, quick, (token, number) => RawClient.Request("GET", $"/fhir/Observation/{ids[(int)(number % ids.Count)]}", token));
        await CompareAsync(report, store, "search patient+code+date, 20 newest", "≥ 0.90", tokens, server.Port, quick, (token, _) =>
            RawClient.Request("GET", $"/fhir/Observation?patient={world.Patient(0)}&code=http://loinc.org%7C8867-4&date=ge2000&_sort=-date&_count=20", token));
        await DeniedTimes.RunAsync(report, store, world, server.Port, patient, quick);
        await RateAsync(report, store, server.Port, client, quick);
    }

    private static async Task CompareAsync(Report report, BenchStore store, string what, string least, (string Name, string Token)[] tokens, int port, bool quick, Func<string, long, byte[]> request)
    {
        var duration = TimeSpan.FromSeconds(2);
        var loads = tokens.Select(_ => new List<Load>()).ToList();

        // The runtime compiles for what it saw at first: one token alone would have the whole server made for itself.
        for (var turn = 0; turn < 6 * tokens.Length; turn++)
        {
            await RawClient.RunAsync(port, Clients, TimeSpan.FromSeconds(1), (client, number) => request(tokens[turn % tokens.Length].Token, (client * 31) + number), 200);
        }

        for (var run = 0; run < (quick ? 1 : 15); run++)
        {
            for (var index = 0; index < tokens.Length; index++)
            {
                var token = tokens[index].Token;
                loads[index].Add(await RawClient.RunAsync(port, Clients, duration, (client, number) => request(token, (client * 31) + number), 200));
            }
        }

        report.Add($"{store.Name}: {what}, {tokens[0].Name}", "requests/s", [.. loads[0].Select(load => load.PerSecond)]);
        for (var index = 1; index < tokens.Length; index++)
        {
            report.Add($"{store.Name}: {what}, {tokens[index].Name}", "requests/s", [.. loads[index].Select(load => load.PerSecond)]);

            // Turn by turn: a machine that is slower for a minute is so for both.
            report.Add($"{store.Name}: {what}, {tokens[index].Name}", $"of {tokens[0].Name}", [.. loads[index].Zip(loads[0], (one, all) => one.PerSecond / all.PerSecond)], budget: least);
        }
    }

    // One by one from four browsers: with the session that a person has, and signing in each time.
    private static async Task RateAsync(Report report, BenchStore store, int port, string client, bool quick)
    {
        var duration = TimeSpan.FromSeconds(quick ? 3 : 10);
        foreach (var (name, fresh) in new[] { ("authorize to token, signed in", false), ("authorize to token, with the password each time", true) })
        {
            var clock = Stopwatch.StartNew();
            var flows = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                var (count, browser) = (0, new SignIn(port, client));
                for (; clock.Elapsed < duration; count++)
                {
                    await browser.TokenAsync("user/*.rs");
                    if (fresh)
                    {
                        browser.Dispose();
                        browser = new SignIn(port, client);
                    }
                }

                browser.Dispose();
                return count;
            })));
            report.Add($"{store.Name}: {name}, 4 browsers", "flows/s", [flows.Sum() / clock.Elapsed.TotalSeconds]);
        }
    }

    // The patients that the messages made become the clinician's, and ten thousand more.
    private static async Task AddPatientsAsync(World world, int port)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", world.Token);
        var patients = Enumerable.Range(0, World.Patients).Select(number => world.Patient(number)).Concat(Enumerable.Range(0, Others).Select(number => $"bench-other-{number}"));
        foreach (var group in patients.Chunk(1000))
        {
            var entries = group.Select(id => $$"""{"resource":{"resourceType":"Patient","id":"{{id}}","name":[{"family":"B"}],"generalPractitioner":[{"reference":"Practitioner/bench-dr"}]},"request":{"method":"PUT","url":"Patient/{{id}}"} }""");
            using var content = new StringContent($$"""{"resourceType":"Bundle","type":"transaction","entry":[{{string.Join(',', entries)}}]}""", Encoding.UTF8, "application/fhir+json");
            using var answer = await http.PostAsync($"http://127.0.0.1:{port}/fhir", content);
            answer.EnsureSuccessStatusCode();
        }

        using var practitioner = new StringContent("""{"resourceType":"Practitioner","id":"bench-dr"}""", Encoding.UTF8, "application/fhir+json");
        (await http.PutAsync($"http://127.0.0.1:{port}/fhir/Practitioner/bench-dr", practitioner)).EnsureSuccessStatusCode();
    }
}
