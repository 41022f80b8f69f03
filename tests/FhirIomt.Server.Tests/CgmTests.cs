using System.Globalization;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests;

/// <summary>Real readings of continuous glucose monitors, in as CSV and out by FHIR search.</summary>
public sealed class CgmTests(ITestOutputHelper output)
{
    private const int BatchSize = 2000;

    [Theory]
    [InlineData("example_data_5_subject.csv")]
    [InlineData("example_data_hall.csv")]
    public async Task Every_reading_comes_out_as_it_went_in_and_a_second_push_creates_nothing(string file)
    {
        var readings = Read(SharedData.Require("device-data/cgm/" + file));
        await using var server = new TestServer();
        await server.InitializeAsync();
        var vendor = await server.AddVendorAsync("cgm", "cgm-csv");
        var subjectOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var subject in readings.Select(reading => reading.Subject).Distinct(StringComparer.Ordinal))
        {
            var patient = await server.AddPatientAsync();
            await server.AddDeviceAsync(subject, "cgm", patient);
            subjectOf["Patient/" + patient] = subject;
        }

        var first = await PushAsync(server, vendor, readings);
        var second = await PushAsync(server, vendor, readings);

        Assert.Equal(readings.Count, first["stored"]);
        Assert.Equal(readings.Count, second["duplicate"]);
        var token = await server.TokenAsync("system/Observation.rs");
        var found = new List<(string, string, string)>();
        await foreach (var resource in FhirSearch.AllAsync(server.Http, server.Http.BaseAddress!.ToString(), "Observation?code=http://loinc.org|99504-3&_count=1000", token))
        {
            found.Add((subjectOf[(string)resource["subject"]!["reference"]!], (string)resource["effectiveDateTime"]!, resource["valueQuantity"]!["value"]!.ToJsonString()));
        }

        var wanted = readings.Select(reading => (reading.Subject, reading.Time.Replace(' ', 'T') + "Z", reading.Value));
        Assert.Equal(wanted.Order(), found.Order());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}: {found.Count} readings of {subjectOf.Count} subjects"));
    }

    private static async Task<Dictionary<string, int>> PushAsync(TestServer server, string credential, IReadOnlyList<(string Subject, string Time, string Value)> readings)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var batch in readings.Chunk(BatchSize))
        {
            var body = "id,time,gl\n" + string.Join('\n', batch.Select(reading => $"{reading.Subject},{reading.Time},{reading.Value}"));
            foreach (var receipt in (await server.PostAsync(credential, body, contentType: "text/csv")).Receipts)
            {
                counts[receipt.Status] = counts.GetValueOrDefault(receipt.Status) + 1;
            }
        }

        return counts;
    }

    private static List<(string Subject, string Time, string Value)> Read(string file)
    {
        var rows = File.ReadLines(file).Select(line => line.Split(',').Select(cell => cell.Trim('"')).ToArray()).ToList();
        var (id, time, value) = (Array.IndexOf(rows[0], "id"), Array.IndexOf(rows[0], "time"), Array.IndexOf(rows[0], "gl"));
        return [.. rows.Skip(1).Select(row => (row[id], row[time], row[value]))];
    }
}
