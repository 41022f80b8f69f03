using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage;

/// <summary>
/// A storage engine. Two promises: what <see cref="WriteAsync"/> answered is durable, and a search answers nothing outside the predicates it is given.
/// SQLite is the embedded engine; every engine keeps its SQL in a folder of its own.
/// </summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>The current version, a deletion included; null when the id was never used.</summary>
    ValueTask<StoredResource?> ReadAsync(string type, string id, CancellationToken cancellationToken);

    /// <summary>
    /// The same, or where the id was never used the resource of that type whose id comes next: who then judges it as he would the one asked for takes as long to say no to what is not there
    /// as to what is another's. Look at its id.
    /// </summary>
    ValueTask<StoredResource?> ReadNearestAsync(string type, string id, CancellationToken cancellationToken);

    ValueTask<StoredResource?> ReadVersionAsync(string type, string id, long version, CancellationToken cancellationToken);

    /// <param name="access">What the caller may see; goes into the query itself.</param>
    ValueTask<Outcome<SearchPage>> SearchAsync(SearchQuery query, SearchAccess access, CancellationToken cancellationToken);

    /// <summary>Versions, newest first, deletions included. What the caller may see of them is for the caller to decide: an old version has no index.</summary>
    ValueTask<Outcome<HistoryPage>> HistoryAsync(HistoryQuery query, CancellationToken cancellationToken);

    /// <summary>Runs the operations in order in one transaction, shared with those of concurrent callers; returns after the commit is durable.</summary>
    Task WriteAsync(IReadOnlyList<WriteOperation> operations, CancellationToken cancellationToken);

    ValueTask<StoredRecord?> FindRecordAsync(string kind, string id, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<StoredRecord>> ListRecordsAsync(string kind, CancellationToken cancellationToken);

    /// <summary>Quarantined messages, newest first.</summary>
    ValueTask<IReadOnlyList<StoredRecord>> ListNewestRecordsAsync(string kind, int limit, CancellationToken cancellationToken);

    /// <summary>Records of one kind, by descending id, from one id on.</summary>
    /// <param name="before">Exclusive; null for the beginning.</param>
    ValueTask<IReadOnlyList<StoredRecord>> ListRecordsBeforeAsync(string kind, string? before, int limit, CancellationToken cancellationToken);

    ValueTask<long> CountRecordsAsync(string kind, CancellationToken cancellationToken);

    /// <summary>The profiles, tags and security labels of resources of those types.</summary>
    /// <param name="limit">At most so many; as many mean that there are more.</param>
    ValueTask<IReadOnlyList<StoredLabel>> ListLabelsAsync(IReadOnlyList<string> types, int limit, CancellationToken cancellationToken);

    /// <summary>Keeps lines of the audit that are no part of a write; returns when they are durable.</summary>
    Task AppendAuditAsync(IReadOnlyList<AuditRow> lines, CancellationToken cancellationToken);

    /// <summary>Lines of the audit, also those that were appended just before.</summary>
    ValueTask<IReadOnlyList<StoredAudit>> ReadAuditAsync(AuditQuery query, CancellationToken cancellationToken);

    /// <summary>Grows with every change to configuration or to devices and assignments, by any process on this store; caches compare it.</summary>
    long Generation { get; }

    /// <summary>
    /// Grows with every change to what decides who may see which patient (<see cref="AccessData"/>), by any process on this store. A number of its own: such
    /// changes are frequent, and must not empty the caches that ingest lives by.
    /// </summary>
    long AccessGeneration { get; }
}

/// <summary>Something the server keeps that is not a FHIR resource: clients, credentials, mappings, tokens, receipts.</summary>
/// <param name="Kind">One of <see cref="RecordKind"/>.</param>
/// <param name="ExpiresAt">Afterwards it is as if it were not there.</param>
public sealed record StoredRecord(string Kind, string Id, ReadOnlyMemory<byte> Body, DateTimeOffset? ExpiresAt = null);

/// <summary>The kinds of records.</summary>
public static class RecordKind
{
    public const string Client = "client";
    public const string Vendor = "vendor";

    /// <summary>Device and vendor credentials, by the hash of the secret.</summary>
    public const string Credential = "credential";

    /// <summary>Which vendor a Device belongs to, by Device id.</summary>
    public const string DeviceOwner = "device-owner";
    public const string Mapping = "mapping";

    /// <summary>By which of several ways the same measurements come, and which comes first.</summary>
    public const string Route = "route";

    /// <summary>Which resource holds a measurement that comes by several routes, by what makes it the same.</summary>
    public const string RoutedReading = "routed-reading";
    public const string MappingVersion = "mapping-version";

    /// <summary>When a device was last heard of, by Device id.</summary>
    public const string DeviceSeen = "device-seen";

    /// <summary>How often a device is expected to send, by Device id.</summary>
    public const string DeviceExpectation = "device-expectation";

    /// <summary>Messages that were received, by what makes them the same, for senders that send until they hear an answer.</summary>
    public const string SeenMessage = "seen-message";

    /// <summary>Access tokens, by the hash of the token.</summary>
    public const string Token = "token";

    /// <summary>Identifiers of client assertions already used.</summary>
    public const string AssertionId = "assertion-id";

    /// <summary>People who can log in, by user name.</summary>
    public const string User = "user";

    /// <summary>Which user somebody known to another issuer is, by the hash of iss and sub.</summary>
    public const string UserLink = "user-link";

    /// <summary>Failed logins, by the hash of the name that was typed.</summary>
    public const string LoginAttempts = "login-attempts";

    /// <summary>Who is logged in in which browser.</summary>
    public const string Session = "session";

    /// <summary>Authorizations while the person logs in and decides, by the hash of what the browser carries.</summary>
    public const string Authorization = "authorization";

    /// <summary>Launches that an EHR announced, by the hash of the launch value.</summary>
    public const string Launch = "launch";

    /// <summary>Authorization codes, by their hash.</summary>
    public const string Code = "code";

    /// <summary>What a person allowed a client; its tokens live no longer than it.</summary>
    public const string Grant = "grant";

    /// <summary>Refresh tokens, used ones too, by their hash.</summary>
    public const string RefreshToken = "refresh-token";

    /// <summary>That something about tokens ended: written beside the deletion, so that caches hear of it (those of access, not those that ingest lives by). Grants come and go without emptying caches.</summary>
    public const string Revocation = "revocation";

    /// <summary>The keys that sign id tokens: one record.</summary>
    public const string SigningKeys = "signing-keys";

    /// <summary>At which moments the readings of a shared Observation were taken, by its id.</summary>
    public const string WindowMemory = "window-memory";

    /// <summary>Receipts of one POST of device messages.</summary>
    public const string Receipt = "receipt";
    public const string Quarantine = "quarantine";

    /// <summary>That every stored resource has been indexed by a search parameter of somebody's own, by its index name.</summary>
    public const string SearchIndex = "search-index";

    /// <summary>Indexing by a search parameter while it runs, by the parameter's id.</summary>
    public const string Reindexing = "reindexing";

    /// <summary>The address that the store was last served under.</summary>
    public const string ServedAddress = "served-address";

    /// <summary>How far a journal of audit lines was taken into the store, by the journal's id.</summary>
    public const string AuditJournal = "audit-journal";

    /// <summary>Who has opened whose record in an emergency; gone when that has ended.</summary>
    public const string EmergencyAccess = "emergency-access";

    /// <summary>The same for ever: the patient may see who it was, and why.</summary>
    public const string EmergencyLog = "emergency-log";

    /// <summary>Kinds whose change must reach caches at once.</summary>
    public static bool IsConfiguration(string kind) => kind is Client or User or UserLink or Vendor or Credential or DeviceOwner or Mapping or Route or SearchIndex or SigningKeys;
}

/// <summary>The engine cannot do it now: disk full, file unreadable, locked beyond the timeout. Nothing was written; trying again may work.</summary>
public class StoreBusyException(string message) : Exception(message);

/// <summary>The engine behind the network went away.</summary>
/// <param name="mayBeWritten">The connection was lost while committing, and what became of that could not be found out.</param>
public sealed class StoreLostException(string message, bool mayBeWritten = false) : StoreBusyException(message)
{
    /// <summary>Then the caller must look before it sends the same again.</summary>
    public bool MayBeWritten { get; } = mayBeWritten;
}

/// <summary>The store cannot be opened, and why; the message is for the operator.</summary>
public sealed class StoreUnusableException(string message) : Exception(message);
