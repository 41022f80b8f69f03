using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>What servers acknowledged, and what must not be there; compared with what they then have.</summary>
internal sealed class Ledger
{
    /// <summary>Name by If-None-Exist → id.</summary>
    public ConcurrentDictionary<string, string> CreatedOnce { get; } = new(StringComparer.Ordinal);

    /// <summary>Id → the last value that was acknowledged.</summary>
    public ConcurrentDictionary<string, long> Updated { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> Deleted { get; } = new(StringComparer.Ordinal);

    /// <summary>Their deletion was refused.</summary>
    public ConcurrentDictionary<string, bool> Kept { get; } = new(StringComparer.Ordinal);

    /// <summary>Nobody heard what became of their deletion.</summary>
    public ConcurrentDictionary<string, bool> Either { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> Transactions { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> RefusedTransactions { get; } = new(StringComparer.Ordinal);

    /// <summary>Time of a reading → its Observation.</summary>
    public ConcurrentDictionary<string, string> Readings { get; } = new(StringComparer.Ordinal);

    public async Task CompareAsync(string root, string token)
    {
        using var http = new HttpClient();
        var patients = new List<JsonObject>();
        await foreach (var patient in FhirSearch.AllAsync(http, root + "/", "Patient?_count=1000", token))
        {
            patients.Add(patient);
        }

        var observations = new List<JsonObject>();
        await foreach (var observation in FhirSearch.AllAsync(http, root + "/", "Observation?_count=1000", token))
        {
            observations.Add(observation);
        }

        Assert.Equal(observations.Count, observations.Select(IdOf).Distinct(StringComparer.Ordinal).Count());
        CompareCreated(patients);
        CompareTransactions(patients, observations.Where(observation => CodeOf(observation) == "tx"));
        CompareSingle(observations);
        CompareReadings(observations.Where(observation => CodeOf(observation) == "8867-4"));
    }

    private void CompareCreated(List<JsonObject> patients)
    {
        // Throws when a name is there twice.
        var stored = patients.Where(patient => Identifier(patient)?.System == "urn:load").ToDictionary(patient => Identifier(patient)!.Value.Value, IdOf, StringComparer.Ordinal);
        Assert.DoesNotContain(CreatedOnce, pair => stored.GetValueOrDefault(pair.Key) != pair.Value);
    }

    private void CompareTransactions(List<JsonObject> patients, IEnumerable<JsonObject> observations)
    {
        var stored = patients.Where(patient => Identifier(patient)?.System == "urn:tx").ToDictionary(patient => Identifier(patient)!.Value.Value, IdOf, StringComparer.Ordinal);
        var parts = observations.ToLookup(observation => Identifier(observation)!.Value.Value, StringComparer.Ordinal);
        Assert.DoesNotContain(parts, part => !stored.ContainsKey(part.Key));
        Assert.All(stored, pair =>
        {
            Assert.Equal(Resources.InTransaction, parts[pair.Key].Count());
            Assert.All(parts[pair.Key], part => Assert.Equal($"Patient/{pair.Value}", (string)part["subject"]!["reference"]!));
        });
        Assert.DoesNotContain(Transactions.Keys, name => !stored.ContainsKey(name));
        Assert.DoesNotContain(RefusedTransactions.Keys, stored.ContainsKey);
    }

    private void CompareSingle(List<JsonObject> observations)
    {
        var stored = observations.Where(observation => observation["valueInteger"] is not null).ToDictionary(IdOf, observation => (long)observation["valueInteger"]!, StringComparer.Ordinal);
        Assert.DoesNotContain(Updated, pair => stored.GetValueOrDefault(pair.Key, -1) < pair.Value);
        Assert.DoesNotContain(Deleted.Keys, stored.ContainsKey);
        Assert.DoesNotContain(Kept.Keys, id => !stored.ContainsKey(id));
    }

    private void CompareReadings(IEnumerable<JsonObject> observations)
    {
        // Throws when a time is there twice.
        var stored = observations.ToDictionary(observation => (string)observation["effectiveDateTime"]!, observation => "Observation/" + IdOf(observation), StringComparer.Ordinal);
        Assert.DoesNotContain(Readings, pair => stored.GetValueOrDefault(pair.Key) != pair.Value);
    }

    private static string IdOf(JsonObject resource) => (string)resource["id"]!;

    private static string CodeOf(JsonObject observation) => (string)observation["code"]!["coding"]![0]!["code"]!;

    private static (string System, string Value)? Identifier(JsonObject resource) =>
        resource["identifier"]?[0] is { } identifier ? ((string)identifier["system"]!, (string)identifier["value"]!) : null;
}
