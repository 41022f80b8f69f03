using System.Globalization;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>Whose reading it is, or why that cannot be said.</summary>
/// <param name="IsRefusal">The sender must mend it; otherwise the message waits in quarantine.</param>
internal readonly record struct Resolution(string? PatientId, string? DeviceId, string? EncounterId, Issue? Issue, bool IsRefusal)
{
    public static Resolution Of(string patientId, string deviceId, string? encounterId) => new(patientId, deviceId, encounterId, null, IsRefusal: false);

    public static Resolution Waits(Issue issue) => new(null, null, null, issue, IsRefusal: false);

    public static Resolution Refused(Issue issue) => new(null, null, null, issue, IsRefusal: true);
}

/// <summary>
/// Finds the device by who sends and what the message says, and the patient by the assignment that was valid at the reading's time. Never guesses:
/// nobody and more than one both wait in quarantine.
/// </summary>
internal sealed class ReadingResolver(IStore store, ResourceRepository repository, DeviceDirectory directory, SearchQueryParser parser)
{
    public async ValueTask<Resolution> ResolveAsync(MessageBatch batch, MappedReading reading, CancellationToken cancellationToken)
    {
        var own = await FindOwnAsync(batch, reading, cancellationToken).ConfigureAwait(false);
        if (own.Count != 1)
        {
            return Unresolved(batch, reading, own.Count);
        }

        var device = own[0];
        var patients = device.PatientsDuring(reading.Start, reading.End);
        if (batch.Mapping.Identity == IdentityMode.Message && reading.PatientIdentifier is { Length: > 0 } named && patients.Count <= 1)
        {
            return await OfNamedAsync(batch, device.Id, patients.Count == 1 ? patients[0] : null, named, cancellationToken).ConfigureAwait(false);
        }

        if (patients.Count != 1)
        {
            return Resolution.Waits(patients.Count == 0 ? DeviceIssues.NoPatient() : DeviceIssues.SeveralPatients());
        }

        if (NamesOtherPatient(batch, reading, patients[0]))
        {
            return Resolution.Waits(DeviceIssues.OtherPatient());
        }

        if (batch.Mapping.Identity == IdentityMode.LookupWithEncounter && string.IsNullOrEmpty(reading.EncounterIdentifier))
        {
            return Resolution.Waits(DeviceIssues.EncounterNeeded());
        }

        return reading.EncounterIdentifier is { } encounter
            ? await WithEncounterAsync(patients[0], device.Id, encounter, cancellationToken).ConfigureAwait(false)
            : Resolution.Of(patients[0], device.Id, null);
    }

    /// <summary>Looks the devices of many readings up together.</summary>
    public ValueTask PrepareAsync(IEnumerable<MappedReading> readings, CancellationToken cancellationToken) => directory.RememberAsync(readings.Select(reading => reading.DeviceIdentifier), cancellationToken);

    /// <summary>Makes the devices and patients of messages that may create them, all of the chunk in one write.</summary>
    public async ValueTask CreateMissingAsync(MessageBatch batch, IReadOnlyList<MessageWork> own, CancellationToken cancellationToken)
    {
        if (batch.Sender is not Sender.Vendor vendor || batch.Mapping.Identity != IdentityMode.Create)
        {
            return;
        }

        var operations = new Dictionary<string, EnsureIdentity>(StringComparer.Ordinal);
        foreach (var reading in own.SelectMany(work => work.Readings))
        {
            if (reading.PatientIdentifier is { Length: > 0 } patient && !operations.ContainsKey(reading.DeviceIdentifier)
                && OwnDevices(vendor, await directory.FindByIdentifierAsync(reading.DeviceIdentifier, cancellationToken).ConfigureAwait(false)).Count == 0
                && EnsureIdentity.For(vendor.Name, reading.DeviceIdentifier, patient, repository).TryGetValue(out var operation, out _))
            {
                operations[reading.DeviceIdentifier] = operation;
            }
        }

        if (operations.Count > 0)
        {
            await store.WriteAsync([.. operations.Values], cancellationToken).ConfigureAwait(false);
        }
    }

    // A device that people share has an identifier for each of them beside its own: the number it has for the person stands behind a #.
    private async ValueTask<List<KnownDevice>> FindOwnAsync(MessageBatch batch, MappedReading reading, CancellationToken cancellationToken)
    {
        if (reading.IsOfSender && batch.Sender is Sender.Device sender)
        {
            return await directory.FindAsync(sender.DeviceId, cancellationToken).ConfigureAwait(false) is { } device ? [device] : [];
        }

        if (reading.UserSlot is { } slot)
        {
            var shared = OwnDevices(batch.Sender, await directory.FindByIdentifierAsync(string.Create(CultureInfo.InvariantCulture, $"{reading.DeviceIdentifier}#{slot}"), cancellationToken).ConfigureAwait(false));

            // The second person's reading is never the first one's, whoever has the device by its plain identifier.
            if (shared.Count > 0 || slot > 1)
            {
                return shared;
            }
        }

        return OwnDevices(batch.Sender, await directory.FindByIdentifierAsync(reading.DeviceIdentifier, cancellationToken).ConfigureAwait(false));
    }

    // Where both say whose it is they must agree; the message alone counts only from a sender that may name patients.
    private async ValueTask<Resolution> OfNamedAsync(MessageBatch batch, string deviceId, string? assigned, string named, CancellationToken cancellationToken)
    {
        var system = (batch.Sender as Sender.Vendor)?.PatientSystem;
        if (assigned is null && system is null)
        {
            return Resolution.Waits(DeviceIssues.NoPatient());
        }

        if (!batch.NamedPatients.TryGetValue(named, out var patient))
        {
            patient = await FindPatientAsync(system, named, cancellationToken).ConfigureAwait(false);
            batch.NamedPatients[named] = patient;
        }

        return patient is not null && (assigned is null || patient == assigned) ? Resolution.Of(patient, deviceId, null)
            : Resolution.Waits(assigned is null ? DeviceIssues.NoNamedPatient() : DeviceIssues.OtherPatient());
    }

    private async ValueTask<string?> FindPatientAsync(string? system, string identifier, CancellationToken cancellationToken)
    {
        var wanted = (system is null ? "" : SearchQueryParser.Escape(system) + "|") + SearchQueryParser.Escape(identifier);
        if (!parser.ParseCriterion("Patient", "identifier", wanted).TryGetValue(out var criterion, out _))
        {
            return null;
        }

        var query = new SearchQuery { ResourceType = "Patient", Criteria = [criterion], Count = 2 };
        var page = await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false);
        return page.Require().Matches is [var only] ? only.Id : null;
    }

    private static List<KnownDevice> OwnDevices(Sender sender, IReadOnlyList<KnownDevice> candidates) => sender switch
    {
        Sender.Device device => [.. candidates.Where(candidate => candidate.Id == device.DeviceId)],
        Sender.Vendor vendor => [.. candidates.Where(candidate => candidate.Vendor == vendor.Name)],
        _ => [],
    };

    // A device of another vendor looks the same as one that does not exist.
    private static Resolution Unresolved(MessageBatch batch, MappedReading reading, int found)
    {
        if (found == 0 && reading.UserSlot > 1)
        {
            return Resolution.Waits(DeviceIssues.UnknownUser());
        }

        if (batch.Sender is Sender.Device)
        {
            return Resolution.Refused(DeviceIssues.NotItsDevice());
        }

        if (found > 1)
        {
            return Resolution.Waits(DeviceIssues.SeveralDevices());
        }

        if (batch.Mapping.Identity == IdentityMode.Create)
        {
            return Resolution.Waits(string.IsNullOrEmpty(reading.PatientIdentifier) ? DeviceIssues.PatientNeeded() : DeviceIssues.NotCreated());
        }

        return Resolution.Waits(DeviceIssues.UnknownDevice());
    }

    // In lookup mode the assignment decides alone, as in the IoMT connector; in create mode the message's patient made the assignment, so it must agree.
    private static bool NamesOtherPatient(MessageBatch batch, MappedReading reading, string patientId) =>
        batch.Mapping.Identity == IdentityMode.Create && batch.Sender is Sender.Vendor vendor && reading.PatientIdentifier is { Length: > 0 } named
        && EnsureIdentity.PatientId(vendor.Name, named) != patientId;

    private async ValueTask<Resolution> WithEncounterAsync(string patientId, string deviceId, string encounter, CancellationToken cancellationToken)
    {
        if (parser.ParseCriterion("Encounter", "identifier", SearchQueryParser.Escape(encounter)).TryGetValue(out var criterion, out _))
        {
            var query = new SearchQuery { ResourceType = "Encounter", Criteria = [criterion], Count = 2 };
            var page = await store.SearchAsync(query, SearchAccess.Only(new AccessPredicate.OfPatient(patientId)), cancellationToken).ConfigureAwait(false);
            if (page.Require().Matches is [var only])
            {
                return Resolution.Of(patientId, deviceId, only.Id);
            }
        }

        return Resolution.Waits(DeviceIssues.NoEncounter());
    }
}
