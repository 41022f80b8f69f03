using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Life;

/// <summary>
/// What happens to a device after it was registered: given to patients and taken back, new credentials, the end. Whose it was when is a ledger of DeviceUseStatements, so that a
/// reading which comes late goes to whom the device had at the reading's time. Decided inside the transaction: of two assignments at once, one is refused.
/// </summary>
internal sealed class DeviceLife(IStore store, ResourceRepository repository, SearchQueryParser parser, SenderCredentials credentials, IdSource ids, TimeProvider time)
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Gives the device to a patient from then on. A patient who has it without a statement, by Device.patient alone, has it until then.</summary>
    /// <param name="until">Exclusive; null: until it is returned.</param>
    public async Task<Outcome<string>> AssignAsync(string deviceId, string patientId, DateTimeOffset from, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        if (until <= from)
        {
            return LifeIssues.BadPeriod();
        }

        if (await store.ReadAsync("Patient", patientId, cancellationToken).ConfigureAwait(false) is not { IsDeleted: false })
        {
            return RegistrarIssues.UnknownPatient();
        }

        var statementId = ids.NewId();
        return await RunAsync(deviceId, change =>
        {
            change.BeginLedger(from);
            if (change.Assignments.Any(one => one.Assignment.From < (until ?? DateTimeOffset.MaxValue) && one.Assignment.Until > from))
            {
                return LifeIssues.Overlap();
            }

            change.AddStatement(statementId, patientId, from, until);
            var now = time.GetUtcNow();
            if (from <= now && now < (until ?? DateTimeOffset.MaxValue))
            {
                change.Device["patient"] = new JsonObject { ["reference"] = $"Patient/{patientId}" };
            }

            return null;
        }, statementId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes the device back: what it measured before stays the patient's, also when it comes later.</summary>
    public Task<Outcome<string>> ReturnAsync(string deviceId, DateTimeOffset at, CancellationToken cancellationToken) => RunAsync(deviceId, change =>
    {
        change.BeginLedger(at);
        if (change.End(at) is { } refusal)
        {
            return refusal;
        }

        change.Device.Remove("patient");
        return null;
    }, deviceId, cancellationToken);

    /// <summary>The end: returned if it is anybody's, inactive, and whatever it could send with is void.</summary>
    public async Task<Outcome<string>> RetireAsync(string deviceId, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var own = await CredentialsOfAsync(deviceId, cancellationToken).ConfigureAwait(false);
        return await RunAsync(deviceId, change =>
        {
            change.BeginLedger(at);
            change.End(at);
            change.Device.Remove("patient");
            change.Device["status"] = "inactive";
            own.ForEach(change.Transaction.DeleteRecordOf);
            change.Transaction.DeleteRecord(RecordKind.DeviceExpectation, deviceId);
            return null;
        }, deviceId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A new secret for the device; with it, or instead of it, a certificate.</summary>
    /// <param name="voidOthers">What it could send with until now is void at once; otherwise both count, so that a device can be changed over.</param>
    public async Task<Outcome<string>> NewCredentialAsync(string deviceId, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate, bool voidOthers, CancellationToken cancellationToken)
    {
        var before = await CredentialsOfAsync(deviceId, cancellationToken).ConfigureAwait(false);
        var mapping = before.Count == 0 ? null : JsonTree.Parse(before[0].Body).Require().Root["mapping"u8].AsString();
        var sender = new Sender.Device(deviceId, mapping);
        var (secret, record) = credentials.Issue(sender);
        var outcome = await RunAsync(deviceId, change =>
        {
            if (change.Device["status"]?.GetValue<string>() is "inactive" or "entered-in-error")
            {
                return LifeIssues.Retired();
            }

            if (voidOthers)
            {
                before.ForEach(change.Transaction.DeleteRecordOf);
            }

            change.Transaction.PutRecord(record);
            if (certificate is not null)
            {
                change.Transaction.PutRecord(SenderCredentials.Register(certificate, sender));
            }

            return null;
        }, secret, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    /// <summary>How often its readings are expected; three times that without any is said as a DetectedIssue. Null: not expected any more.</summary>
    public Task<Outcome<string>> ExpectAsync(string deviceId, TimeSpan? interval, CancellationToken cancellationToken) => interval is { } every && (every < TimeSpan.FromSeconds(1) || every > TimeSpan.FromDays(366))
        ? Task.FromResult<Outcome<string>>(LifeIssues.BadInterval())
        : RunAsync(deviceId, change =>
        {
            if (interval is { } expected)
            {
                change.Transaction.PutRecord(new StoredRecord(RecordKind.DeviceExpectation, deviceId, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, double>(StringComparer.Ordinal) { ["seconds"] = expected.TotalSeconds })));
            }
            else
            {
                change.Transaction.DeleteRecord(RecordKind.DeviceExpectation, deviceId);
            }

            return null;
        }, deviceId, cancellationToken);

    public async ValueTask<List<StoredRecord>> CredentialsOfAsync(string deviceId, CancellationToken cancellationToken) =>
        [.. (await store.ListRecordsAsync(RecordKind.Credential, cancellationToken).ConfigureAwait(false)).Where(record => JsonTree.Parse(record.Body).Require().Root["device"u8].AsString() == deviceId)];

    private async Task<Outcome<string>> RunAsync(string deviceId, Func<DeviceChange, Issue?> decide, string answer, CancellationToken cancellationToken)
    {
        var criterion = parser.ParseCriterion("DeviceUseStatement", "device", $"Device/{deviceId}").Require();
        var operation = new Change(deviceId, criterion, decide, repository, ids);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return operation.Refusal is { } refusal ? refusal : answer;
    }

    private sealed class Change(string deviceId, SearchCriterion ofDevice, Func<DeviceChange, Issue?> decide, ResourceRepository repository, IdSource ids) : WriteOperation
    {
        public Issue? Refusal { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            if (transaction.Find("Device", deviceId) is not { IsDeleted: false } stored)
            {
                Refusal = LifeIssues.NoDevice();
                return;
            }

            var query = new SearchQuery { ResourceType = "DeviceUseStatement", Criteria = [ofDevice], Count = SearchLimits.MaxCount };
            var change = new DeviceChange(transaction, stored, transaction.Search(query, SearchAccess.Everything), ids);

            // Nothing is written before it is decided: the transaction is shared with others, and is not undone for a refusal.
            Refusal = decide(change);
            if (Refusal is null)
            {
                Refusal = change.Write(repository, Relaxed);
            }
        }
    }
}

/// <summary>A device and its ledger while they are changed.</summary>
internal sealed class DeviceChange
{
    private readonly StoredResource _stored;
    private readonly string _before;
    private readonly IdSource _ids;
    private readonly List<(string Id, JsonObject Statement, StoredResource? Previous)> _changed = [];
    private readonly List<(StoredResource Stored, DeviceAssignment Assignment)> _assignments = [];

    public DeviceChange(IWriteTransaction transaction, StoredResource stored, IReadOnlyList<StoredResource> statements, IdSource ids)
    {
        (Transaction, _stored, _ids) = (transaction, stored, ids);
        Device = JsonNode.Parse(stored.Body.Span)!.AsObject();
        _before = Device.ToJsonString();
        HasLedger = statements.Count > 0;
        foreach (var statement in statements)
        {
            if (DeviceAssignment.TryRead(JsonTree.Parse(statement.Body).Require().Root, out var assignment))
            {
                _assignments.Add((statement, assignment));
            }
        }
    }

    public IWriteTransaction Transaction { get; }

    public JsonObject Device { get; }

    public bool HasLedger { get; private set; }

    public IReadOnlyList<(StoredResource? Stored, DeviceAssignment Assignment)> Assignments => [.. _assignments.Select(one => ((StoredResource?)one.Stored, one.Assignment))];

    /// <summary>Where only Device.patient says whose it is, that becomes the first statement, and ends then.</summary>
    public void BeginLedger(DateTimeOffset until)
    {
        if (!HasLedger && Device["patient"]?["reference"]?.GetValue<string>() is { } patient && patient.StartsWith("Patient/", StringComparison.Ordinal))
        {
            AddStatement(_ids.NewId(), patient["Patient/".Length..], from: null, until);
        }

        HasLedger = true;
    }

    public void AddStatement(string id, string patientId, DateTimeOffset? from, DateTimeOffset? until)
    {
        var period = new JsonObject();
        if (from is { } start)
        {
            period["start"] = Text(start);
        }

        if (until is { } end)
        {
            period["end"] = EndText(end);
        }

        _changed.Add((id, new JsonObject
        {
            ["resourceType"] = "DeviceUseStatement",
            ["status"] = until is null ? "active" : "completed",
            ["subject"] = new JsonObject { ["reference"] = $"Patient/{patientId}" },
            ["timingPeriod"] = period,
            ["device"] = new JsonObject { ["reference"] = $"Device/{_stored.Id}" },
        }, null));
    }

    /// <summary>Ends what lasts at that time.</summary>
    public Issue? End(DateTimeOffset at)
    {
        if (_changed.Count > 0)
        {
            // The patient of Device.patient: just ended by the first statement.
            return null;
        }

        foreach (var (stored, assignment) in _assignments.Where(one => one.Assignment.From <= at && one.Assignment.Until > at))
        {
            var statement = JsonNode.Parse(stored.Body.Span)!.AsObject();
            var period = statement["timingPeriod"] as JsonObject ?? [];
            period["end"] = EndText(at);
            (statement["timingPeriod"], statement["status"]) = (period.DeepClone(), "completed");
            _changed.Add((stored.Id, statement, stored));
            return null;
        }

        return LifeIssues.NotAssigned();
    }

    /// <summary>Checks everything, then writes everything.</summary>
    public Issue? Write(ResourceRepository repository, JsonSerializerOptions options)
    {
        var prepared = new List<(PreparedResource Resource, string Id, StoredResource? Previous)>();
        foreach (var (id, statement, previous) in _changed)
        {
            if (!repository.Prepare("DeviceUseStatement", Tree(statement, options)).TryGetValue(out var resource, out var issues))
            {
                return issues[0];
            }

            prepared.Add((resource, id, previous));
        }

        if (Device.ToJsonString() != _before)
        {
            if (!repository.Prepare("Device", Tree(Device, options)).TryGetValue(out var resource, out var issues))
            {
                return issues[0];
            }

            prepared.Add((resource, _stored.Id, _stored));
        }

        foreach (var (resource, id, previous) in prepared)
        {
            Transaction.Put(resource, id, previous);
        }

        return null;
    }

    private static JsonTree Tree(JsonObject resource, JsonSerializerOptions options) => JsonTree.Parse(JsonSerializer.SerializeToUtf8Bytes(resource, options)).Require();

    // FHIR's end is part of the period, as long as its last digit says: of an end that is not, the millisecond before is the last.
    private static string EndText(DateTimeOffset until) => until.AddMilliseconds(-1).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

internal static class LifeTransaction
{
    public static void DeleteRecordOf(this IWriteTransaction transaction, StoredRecord record) => transaction.DeleteRecord(record.Kind, record.Id);
}

/// <summary>Refusals about a device's life: IOMT-0591 to IOMT-0597.</summary>
internal static class LifeIssues
{
    public static Issue NoDevice() => Issue.Error(IssueKind.NotFound, "IOMT-0591", "There is no such device.", "DEVICE", "Give the id of a stored Device, as Device/ID.");

    public static Issue Overlap() => Issue.Error(IssueKind.Conflict, "IOMT-0592", "The device is somebody's in that time already.", "--from", "Take it back first: 'fhiriomt device return'.");

    public static Issue NotAssigned() => Issue.Error(IssueKind.NotFound, "IOMT-0593", "The device is nobody's at that time.", "--at", "Look at 'fhiriomt device show'.");

    public static Issue BadPeriod() => Issue.Error(IssueKind.Value, "IOMT-0594", "The assignment ends before it begins.", "--until", "Give a later end.");

    public static Issue Retired() => Issue.Error(IssueKind.BusinessRule, "IOMT-0595", "The device is out of use.", "DEVICE", "Register it anew, or set its status back to active.");

    public static Issue BadInterval() => Issue.Error(IssueKind.Value, "IOMT-0596", "The interval is not between a second and a year.", "--every", "Write for example 00:05:00.");

    public static Issue BadTime(string option) => Issue.Error(IssueKind.Value, "IOMT-0597", "This is no time.", option, "Write for example 2026-11-21T08:00:00+01:00.");
}
