using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace FhirIomt.Bench;

/// <summary>Whether the time of an answer tells what exists: reads, of the current version and of one by its number, of ids that a token may not see and of ids that never were, in turns, one after the other. The difference of two absent ids is the noise.</summary>
internal static class DeniedTimes
{
    public static async Task RunAsync(Report report, BenchStore store, World world, int port, string token, bool quick)
    {
        var denied = new List<string>();
        for (var patient = 1; patient < Math.Min(World.Patients, 20); patient++)
        {
            denied.AddRange(await world.IdsOfAsync(port, world.Patient(patient)));
        }

        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/fhir/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        await CompareAsync(report, store, http, denied, "read", "", quick);
        await CompareAsync(report, store, http, denied, "vread", "/_history/1", quick);
    }

    private static async Task CompareAsync(Report report, BenchStore store, HttpClient http, List<string> denied, string what, string behind, bool quick)
    {
        string[] names = ["an absent id", "a denied id", "another absent id"];
        Func<int, string>[] ids = [number => Absent(denied[number % denied.Count], 'i'), number => denied[number % denied.Count], number => Absent(denied[number % denied.Count], 'l')];
        var medians = ids.Select(_ => new List<double>()).ToArray();
        await RoundAsync(http, ids, behind, 500);
        for (var run = 0; run < (quick ? 2 : 5); run++)
        {
            var times = await RoundAsync(http, ids, behind, quick ? 1_000 : 5_000);
            for (var index = 0; index < ids.Length; index++)
            {
                medians[index].Add(times[index].Order().ElementAt(times[index].Count / 2));
            }
        }

        for (var index = 0; index < ids.Length; index++)
        {
            report.Add($"{store.Name}: {what} of {names[index]}, patient/*.rs, one client", "µs", medians[index]);
        }

        report.Add($"{store.Name}: {what}, denied less absent", "µs", [.. medians[1].Zip(medians[0], (one, other) => one - other)]);
        report.Add($"{store.Name}: {what}, absent less absent (noise)", "µs", [.. medians[2].Zip(medians[0], (one, other) => one - other)]);
    }

    // Each turn begins with another kind, so that none always follows the same one.
    private static async Task<List<double>[]> RoundAsync(HttpClient http, Func<int, string>[] ids, string behind, int turns)
    {
        var times = ids.Select(_ => new List<double>(turns)).ToArray();
        for (var turn = 0; turn < turns; turn++)
        {
            for (var step = 0; step < ids.Length; step++)
            {
                var index = (turn + step) % ids.Length;
                var begun = Stopwatch.GetTimestamp();
                using var answer = await http.GetAsync($"Observation/{ids[index](turn)}{behind}");
                times[index].Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
                if (answer.StatusCode != HttpStatusCode.NotFound)
                {
                    throw new InvalidOperationException($"{ids[index](turn)}: {answer.StatusCode}");
                }
            }
        }

        return times;
    }

    // As long as one that exists and next to it; the letters i and l stand in no id that the server makes.
    private static string Absent(string id, char last) => id[..^1] + last;
}
