using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Linting;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Server.Devices;

/// <summary>Tries a mapping with the messages that it brings: what its rules make of them must be valid before the mapping is taken.</summary>
internal static class MappingSamples
{
    /// <summary>A resource as it would be stored, with ids that stand for those of a patient and a device.</summary>
    public static JsonTree Write(MappedReading reading)
    {
        var key = reading.SourceKey("example-patient", "example-device", withFraction: reading.Window is not null);
        var encounter = reading.EncounterIdentifier is null ? null : "example-encounter";
        return ReadingOperation.Write(reading, new ResolvedReading(key, "example-patient", "example-device", encounter, DateTimeOffset.UnixEpoch, Amended: false));
    }

    /// <summary>Every error, each naming its sample; none means that all are mapped and valid.</summary>
    public static IReadOnlyList<Issue> Check(MappingSet set, Func<MappedReading, JsonTree, IReadOnlyList<Issue>> validate)
    {
        var issues = new List<Issue>();
        for (var i = 0; i < set.Samples.Count; i++)
        {
            var mapped = set.Map(MappingLinter.Envelope(set.Samples[i]), new MappingContext(DeviceTimeZone: null, DateTimeOffset.UnixEpoch));
            issues.AddRange(mapped.Issues.Select(issue => Told(issue with { Severity = IssueSeverity.Error }, i, null)));
            issues.AddRange(mapped.Readings.SelectMany(reading => validate(reading, Write(reading)).Where(issue => issue.Refuses).Select(issue => Told(issue, i, reading))));
        }

        return issues;
    }

    private static Issue Told(Issue issue, int sample, MappedReading? reading) => issue with
    {
        Code = "IOMT-0451",
        Position = null,
        Message = $"Sample {sample + 1}{(reading is null ? "" : $", {reading.ResourceType} of '{reading.Type}'")}: {issue.Code} {issue.Message}",
        Fix = issue.Fix ?? "Correct the rule or the sample.",
    };
}
