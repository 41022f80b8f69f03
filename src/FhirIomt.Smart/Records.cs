using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Keys;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart;

/// <summary>What the authorization server keeps, as JSON in the store's records.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ClientBody))]
[JsonSerializable(typeof(UserAccount))]
[JsonSerializable(typeof(UserLink))]
[JsonSerializable(typeof(LoginAttempts))]
[JsonSerializable(typeof(Session))]
[JsonSerializable(typeof(Passkey))]
[JsonSerializable(typeof(PasskeyChallenge))]
[JsonSerializable(typeof(PendingAuthorization))]
[JsonSerializable(typeof(LaunchTicket))]
[JsonSerializable(typeof(IssuedCode))]
[JsonSerializable(typeof(Grant))]
[JsonSerializable(typeof(RefreshToken))]
[JsonSerializable(typeof(AccessTokenBody))]
[JsonSerializable(typeof(KeyRing))]
internal sealed partial class Records : JsonSerializerContext
{
    public static StoredRecord Of<T>(string kind, string id, T value, JsonTypeInfo<T> type, DateTimeOffset? expires = null) =>
        new(kind, id, JsonSerializer.SerializeToUtf8Bytes(value, type), expires);

    public static T Read<T>(StoredRecord record, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(record.Body.Span, type)!;
}

/// <summary>Puts and deletes without a condition.</summary>
internal sealed class Change(IReadOnlyList<StoredRecord> put, params IReadOnlyList<(string Kind, string Id)> delete) : WriteOperation
{
    public override void Run(IWriteTransaction transaction)
    {
        foreach (var (kind, id) in delete)
        {
            transaction.DeleteRecord(kind, id);
        }

        foreach (var record in put)
        {
            transaction.PutRecord(record);
        }
    }
}

/// <summary>Looks at one record and may put another in its place; nobody comes between.</summary>
/// <param name="change">What becomes of it; null leaves it as it is.</param>
internal sealed class Update(string kind, string id, Func<StoredRecord?, StoredRecord?> change) : WriteOperation
{
    public bool Changed { get; private set; }

    public override void Run(IWriteTransaction transaction)
    {
        var next = change(transaction.FindRecord(kind, id));
        Changed = next is not null;
        if (next is not null)
        {
            transaction.PutRecord(next);
        }
    }
}
