using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Life;

/// <summary>
/// Looks every minute for devices that have said nothing for three times as long as they are expected to: a DetectedIssue that implicates the device says so, and is over when
/// readings come again. One issue for each silence, whichever node finds it.
/// </summary>
internal sealed class SilentDevices(IStore store, ResourceRepository repository, DeviceDirectory directory, LastSeen lastSeen, TimeProvider time, ILogger<SilentDevices> logger) : BackgroundService
{
    private const int Patience = 3;
    private const string Rule = "https://fhiriomt.org/rules/silent-device|1";
    private const string EpisodeSystem = "https://fhiriomt.org/episodes";

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly DateTimeOffset _started = time.GetUtcNow();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await LookAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (StoreBusyException exception)
            {
                logger.NotLooked(exception);
            }
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var expectation in await store.ListRecordsAsync(RecordKind.DeviceExpectation, cancellationToken).ConfigureAwait(false))
        {
            var root = JsonTree.Parse(expectation.Body).Require().Root;
            var interval = TimeSpan.FromSeconds(double.Parse(root["seconds"u8].AsText()!, CultureInfo.InvariantCulture));
            var seen = await lastSeen.FindAsync(expectation.Id, cancellationToken).ConfigureAwait(false);

            // A server that was off has heard nobody: it waits as long before it says anything.
            var heard = seen > _started ? seen.Value : _started;
            var open = root["issue"u8].AsString();
            var isSilent = time.GetUtcNow() - heard > interval * Patience;
            if (isSilent == open is not null)
            {
                continue;
            }

            var patient = await PatientNowAsync(expectation.Id, cancellationToken).ConfigureAwait(false);
            var id = open ?? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"silent.{expectation.Id}.{heard.UtcTicks}")));
            var issue = IssueOf(expectation.Id, patient, id, heard, interval, isSilent);
            if (!repository.Prepare("DetectedIssue", issue).TryGetValue(out var prepared, out var issues))
            {
                logger.NotTold(issues[0].Code, issues[0].Expression);
            }
            else
            {
                await store.WriteAsync([new Tell(expectation.Id, prepared, id, isSilent)], cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<string?> PatientNowAsync(string deviceId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await directory.FindAsync(deviceId, cancellationToken).ConfigureAwait(false) is { } device && device.PatientsDuring(now, now) is [var only] ? only : null;
    }

    private JsonTree IssueOf(string deviceId, string? patient, string id, DateTimeOffset heard, TimeSpan interval, bool isSilent)
    {
        static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var issue = new JsonObject
        {
            ["resourceType"] = "DetectedIssue",
            ["meta"] = new JsonObject { ["profile"] = new JsonArray("https://fhiriomt.org/profiles/iomt/StructureDefinition/iomt-alert-issue") },
            ["extension"] = new JsonArray(new JsonObject { ["url"] = "https://fhiriomt.org/profiles/iomt/StructureDefinition/iomt-alert-rule", ["valueCanonical"] = Rule }),
            ["identifier"] = new JsonArray(new JsonObject { ["system"] = EpisodeSystem, ["value"] = id }),
            ["status"] = isSilent ? "preliminary" : "final",
            ["code"] = new JsonObject { ["text"] = $"No data since {Text(heard)}, expected every {interval}" },
            ["severity"] = "moderate",
            ["identifiedDateTime"] = Text(time.GetUtcNow()),
            ["implicated"] = new JsonArray(new JsonObject { ["reference"] = $"Device/{deviceId}" }),
            ["evidence"] = new JsonArray(new JsonObject { ["detail"] = new JsonArray(new JsonObject { ["reference"] = $"Device/{deviceId}" }) }),
            ["author"] = new JsonObject { ["display"] = "FhirIomt" },
        };
        if (patient is not null)
        {
            issue["patient"] = new JsonObject { ["reference"] = $"Patient/{patient}" };
        }

        if (!isSilent)
        {
            issue["mitigation"] = new JsonArray(new JsonObject { ["action"] = new JsonObject { ["text"] = "Data came again" }, ["date"] = Text(time.GetUtcNow()) });
        }

        return JsonTree.Parse(Encoding.UTF8.GetBytes(issue.ToJsonString())).Require();
    }

    private sealed class Tell(string deviceId, PreparedResource issue, string id, bool isSilent) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            if (transaction.FindRecord(RecordKind.DeviceExpectation, deviceId) is not { } expectation || (JsonNode.Parse(expectation.Body.Span)!["issue"] is not null) == isSilent)
            {
                // Another node was first, or nobody expects anything any more.
                return;
            }

            transaction.Put(issue, id, transaction.Find("DetectedIssue", id));
            var changed = JsonNode.Parse(expectation.Body.Span)!.AsObject();
            if (isSilent)
            {
                changed["issue"] = id;
            }
            else
            {
                changed.Remove("issue");
            }

            transaction.PutRecord(expectation with { Body = Encoding.UTF8.GetBytes(changed.ToJsonString()) });
        }
    }
}
