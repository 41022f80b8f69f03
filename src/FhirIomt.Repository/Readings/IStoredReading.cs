using FhirIomt.Core;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>What became of one reading.</summary>
public enum ReadingStatus
{
    Stored,
    Updated,
    Duplicate,

    /// <summary>Not stored: the mapping asks for a way of the IoMT connector in which it fails.</summary>
    Refused,
}

/// <summary>One reading in the store: in a resource of its own (<see cref="ReadingOperation"/>) or in one it shares (<see cref="WindowReading"/>). Known after the commit.</summary>
public interface IStoredReading
{
    /// <summary>What writes it; readings may share one.</summary>
    WriteOperation Operation { get; }

    ReadingStatus Status { get; }

    string ResourceType { get; }

    string ResourceId { get; }

    string PatientId { get; }

    string DeviceId { get; }

    /// <summary>The version that was written, or else the one that is there.</summary>
    long Version { get; }

    /// <summary>What the sender should know of it besides.</summary>
    Issue? Notice => null;
}

/// <summary>Why a reading is <see cref="ReadingStatus.Refused"/>.</summary>
public static class RefusedReadings
{
    public static Issue AsTheMappingAsks() => Issue.Error(
        IssueKind.BusinessRule,
        "IOMT-0437",
        "The mapping asks for the connector's way (absentStaysAbsent or windowKeepsLast), in which this reading cannot be added to what is stored.",
        fix: "Take the name out of connectorDefects, then replay the message.");
}
