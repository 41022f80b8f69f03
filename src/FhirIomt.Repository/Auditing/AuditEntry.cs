using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Repository.Auditing;

/// <summary>How something ended, as AuditEvent.outcome says it.</summary>
public enum AuditOutcome
{
    Success = 0,

    /// <summary>Refused: the request, or whoever sent it.</summary>
    Refused = 4,

    /// <summary>The server failed.</summary>
    Failed = 8,
}

/// <summary>One thing that somebody did, or tried to do: a line of the audit before it is written.</summary>
/// <param name="Kind">One of <see cref="AuditKind.Codes"/>.</param>
public sealed record AuditEntry(string Kind)
{
    public AuditOutcome Outcome { get; init; }

    /// <summary>Codes of the issues that refused it; never their texts, which may repeat what was sent.</summary>
    public string? Issues { get; init; }

    public string? ClientId { get; init; }

    /// <summary>The account, by its id.</summary>
    public string? UserId { get; init; }

    /// <summary>The resource that is this person, such as <c>Practitioner/17</c>.</summary>
    public string? FhirUser { get; init; }

    public string? Role { get; init; }

    /// <summary>A device or vendor, such as <c>device/17</c>, or the account of the operating system that ran a command.</summary>
    public string? Sender { get; init; }

    public RequestOrigin? Origin { get; init; }

    /// <summary>By what requests of one token are found: <see cref="AccessScope.TokenReference"/>.</summary>
    public string? Token { get; init; }

    /// <summary>The patients that are known without looking at a resource.</summary>
    public IReadOnlyList<string> Patients { get; init; } = [];

    /// <summary>What was shown or written; the patients they belong to are read from them when the line is written.</summary>
    public IReadOnlyList<StoredResource> Resources { get; init; } = [];

    /// <summary>What it was about, below the base: <c>Observation/1/_history/2</c>.</summary>
    public string? Target { get; init; }

    /// <summary>The request as it was sent, without secrets.</summary>
    public string? Request { get; init; }

    /// <summary>Why a record was opened in an emergency.</summary>
    public string? Reason { get; init; }

    /// <summary>What device messages made, for each patient.</summary>
    public IReadOnlyList<ReadingsMade> Made { get; init; } = [];

    /// <summary>What made it of them: name, version and hash of the mapping.</summary>
    public string? Mapping { get; init; }

    /// <summary>The program that did, by name and version.</summary>
    public string? Software { get; init; }

    /// <summary>The patients whose record is open to the caller because of an emergency: what is done to it is done for that purpose.</summary>
    public PatientSet Emergency { get; init; } = PatientSet.Empty;

    /// <summary>An entry with whom the scope names.</summary>
    public static AuditEntry Of(string kind, AccessScope scope) => new(kind)
    {
        ClientId = scope.ClientId,
        UserId = scope.User?.Id,
        FhirUser = scope.User?.FhirUser,
        Role = scope.User?.Role.ToString().ToLowerInvariant(),
        Sender = scope.ClientId is null ? scope.Actor : null,
        Origin = scope.Origin,
        Token = scope.TokenReference,
        Emergency = scope.Rules.Emergency,
    };
}
