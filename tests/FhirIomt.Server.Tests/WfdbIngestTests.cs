using System.Globalization;
using System.Text.Json.Nodes;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests;

/// <summary><c>fhiriomt ingest</c> with a record of WFDB: files in, waveforms out by FHIR.</summary>
public sealed class WfdbIngestTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-wfdb-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_record_becomes_an_ECG_whose_samples_are_those_of_the_file_and_again_changes_nothing()
    {
        var lead = Enumerable.Range(0, 5000).Select(index => (short)(1000 * Math.Sin(index / 40.0))).ToArray();
        var header = WriteRecord("own", "own 2 250 5000 08:00:00 14/03/2026\nown.dat 16 1000(24)/mV 12 0 0 {0} 0 II\nown.dat 16 500/NU 0 0 0 {1} 0 PLETH\n", lead, [.. lead.Select(sample => (short)(sample / 2))]);
        await using var server = new TestServer();
        await server.InitializeAsync();
        var (_, credential, patient, _) = await server.AddWornDeviceAsync();

        Assert.Equal("2 stored", await IngestAsync(server, header, credential, "--zone", "Europe/Berlin"));
        Assert.Equal("2 duplicate", await IngestAsync(server, header, credential, "--format", "wfdb", "--start", "2026-03-14T07:00:00Z"));

        var found = await SearchAsync(server, $"Observation?patient={patient}&code=131328&_sort=date");
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-03-14T07:00:10Z"], found.Select(one => (string)one["effectivePeriod"]!["start"]!));
        Assert.All(found, one => Assert.EndsWith("/iomt-ecg", (string)one["meta"]!["profile"]![0]!, StringComparison.Ordinal));
        Assert.Equal(lead.Select(sample => (sample - 24) / 1000m), found.SelectMany(one => Values(one["component"]![0]!["valueSampledData"]!)));
        var sampled = found[0]["component"]![0]!["valueSampledData"]!;
        Assert.Equal(("-0.024", "4", "0.001", "-2.072", "2.023"), (sampled["origin"]!["value"]!.ToJsonString(), sampled["period"]!.ToJsonString(), sampled["factor"]!.ToJsonString(), sampled["lowerLimit"]!.ToJsonString(), sampled["upperLimit"]!.ToJsonString()));
        var pleth = await SearchAsync(server, $"Observation?patient={patient}&code=150452&_sort=date");
        Assert.Equal(lead.Select(sample => (short)(sample / 2) / 500m), pleth.SelectMany(one => Values(one["valueSampledData"]!)));
    }

    [Theory]
    [InlineData("100_3chan", 1, 1, "iomt-ecg")]
    [InlineData("100", 181, 181, "iomt-observation")]
    [InlineData("3000003_0003", 1, 1, "iomt-observation")]
    [InlineData("a103l", 66, 33, "iomt-observation")]
    public async Task Published_records_are_taken_whole(string name, int observations, int ecgs, string profile)
    {
        var header = Path.Combine(SharedData.Require("device-data/ecg-wfdb"), name + ".hea");
        await using var server = new TestServer();
        await server.InitializeAsync();
        var vendor = await server.AddVendorAsync("holter");
        var patient = await server.AddPatientAsync();
        await server.AddDeviceAsync("REC-1", "holter", patient);

        Assert.Equal($"{ecgs} stored", await IngestAsync(server, header, vendor, "--device", "REC-1", "--start", "2026-03-14T08:00:00+01:00"));
        Assert.Equal($"{ecgs} duplicate", await IngestAsync(server, header, vendor, "--device", "REC-1", "--start", "2026-03-14T08:00:00+01:00"));

        Assert.Equal(observations, (await SearchAsync(server, $"Observation?patient={patient}&_count=1000")).Count);
        var found = await SearchAsync(server, $"Observation?patient={patient}&code=131328&_count=1000&_sort=date");
        Assert.All(found, one => Assert.EndsWith(profile, (string)one["meta"]!["profile"]![0]!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_record_of_two_segments_with_leads_of_two_rates_becomes_an_ECG_for_each_rate_and_again_changes_nothing()
    {
        var (slow, fast) = (Enumerable.Range(0, 1000).Select(index => (short)index).ToArray(), Enumerable.Range(0, 2000).Select(index => (short)-index).ToArray());
        var (even, odd) = (fast.Where((_, index) => index % 2 == 0).ToArray(), fast.Where((_, index) => index % 2 == 1).ToArray());
        var sum = unchecked((short)fast.Sum(sample => (int)sample));
        WriteRecord("part", $"part 2 100 1000\npart.dat 16 1000/mV 16 0 0 {{0}} 0 I\npart.dat 16x2 500/mV 16 0 0 {sum} 0 II\n", slow, even, odd);
        var header = Path.Combine(_folder, "whole.hea");
        await File.WriteAllTextAsync(header, "whole/3 2 100 2500 08:00:00 14/03/2026\npart 1000\n~ 500\npart 1000\n");
        await using var server = new TestServer();
        await server.InitializeAsync();
        var (_, credential, patient, _) = await server.AddWornDeviceAsync();

        Assert.Equal("6 stored", await IngestAsync(server, header, credential, "--zone", "Europe/Berlin"));
        Assert.Equal("6 duplicate", await IngestAsync(server, header, credential, "--zone", "Europe/Berlin"));

        var found = await SearchAsync(server, $"Observation?patient={patient}&code=131328&_sort=date");
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-03-14T07:00:10Z", "2026-03-14T07:00:20Z"], found.Select(one => (string)one["effectivePeriod"]!["start"]!).Distinct());
        Assert.All(found, one => Assert.EndsWith("/iomt-ecg", (string)one["meta"]!["profile"]![0]!, StringComparison.Ordinal));
        Assert.Equal([.. slow.Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 500), .. slow.Select(sample => $"{sample}")], Of("131329", "10"));
        Assert.Equal([.. fast.Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 1000), .. fast.Select(sample => $"{sample}")], Of("131330", "5"));

        IEnumerable<string> Of(string lead, string period) => found.Select(one => one["component"]!.AsArray().Single()!)
            .Where(component => (string)component["code"]!["coding"]![0]!["code"]! == lead && component["valueSampledData"]!["period"]!.ToJsonString() == period)
            .SelectMany(component => ((string)component["valueSampledData"]!["data"]!).Split(' '));
    }

    [Fact]
    public async Task What_cannot_be_sent_says_why()
    {
        var header = WriteRecord("own", "own 1 250 4\nown.dat 16 1000 12 0 0 {0} 0 II\n", [1, 2, 3, 4]);
        var broken = Path.Combine(_folder, "broken.hea");
        await File.WriteAllTextAsync(broken, (await File.ReadAllTextAsync(header)).Replace("own 1 250 4", "own 1 250 9", StringComparison.Ordinal));
        var segments = Path.Combine(_folder, "segments.hea");
        await File.WriteAllTextAsync(segments, "segments/2 1 500 8\nown 4\nown 4\n");
        (string[] Arguments, string Said)[] cases =
        [
            ([header], "give --start"),
            ([header, "--start", "2026-03-14T08:00:00"], "no time with an offset"),
            ([header, "--zone", "Atlantis"], "no zone"),
            ([broken, "--start", "2026-03-14T08:00:00Z"], "IOMT-0617"),
            ([segments, "--start", "2026-03-14T08:00:00Z"], "IOMT-0615 The header cannot be read: segment own has 250 Hz, and the record 500"),
            ([Path.Combine(_folder, "nothing.hea"), "--start", "2026-03-14T08:00:00Z"], "nothing.hea"),
        ];
        foreach (var (arguments, said) in cases)
        {
            var result = await ChildProcess.RunAsync(["ingest", .. arguments, "--credential", "x", "--server", "http://127.0.0.1:9"]);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains(said, result.Errors, StringComparison.Ordinal);
        }
    }

    private string WriteRecord(string name, string header, params short[][] signals)
    {
        var frames = Enumerable.Range(0, signals[0].Length).SelectMany(index => signals.Select(signal => signal[index])).ToArray();
        var bytes = new byte[frames.Length * 2];
        Buffer.BlockCopy(frames, 0, bytes, 0, bytes.Length);
        File.WriteAllBytes(Path.Combine(_folder, name + ".dat"), bytes);
        var path = Path.Combine(_folder, name + ".hea");
        File.WriteAllText(path, string.Format(CultureInfo.InvariantCulture, header, [.. signals.Select(signal => (object)unchecked((short)signal.Sum(sample => (int)sample)))]));
        return path;
    }

    private static async Task<string> IngestAsync(TestServer server, string header, string credential, params string[] more)
    {
        var result = await ChildProcess.RunAsync(["ingest", header, "--credential", credential, "--server", server.Http.BaseAddress!.ToString(), .. more]);
        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
        return result.Output.Trim();
    }

    private static async Task<List<JsonNode>> SearchAsync(TestServer server, string query)
    {
        var found = new List<JsonNode>();
        await foreach (var resource in FhirSearch.AllAsync(server.Http, server.Http.BaseAddress!.ToString(), query, await server.TokenAsync()))
        {
            found.Add(resource);
        }

        return found;
    }

    private static IEnumerable<decimal> Values(JsonNode sampled)
    {
        var (origin, factor) = ((decimal)sampled["origin"]!["value"]!, (decimal)sampled["factor"]!);
        return ((string)sampled["data"]!).Split(' ').Select(sample => (decimal.Parse(sample, CultureInfo.InvariantCulture) * factor) + origin);
    }
}
