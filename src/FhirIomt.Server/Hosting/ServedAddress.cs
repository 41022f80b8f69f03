using System.Text;
using FhirIomt.Smart;
using FhirIomt.Storage;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Server.Hosting;

/// <summary>
/// The address that a store was last served under. References that name the server by it are indexed as its own, so a command that writes, checks or indexes goes by
/// the store's address: by another, <c>check --repair</c> took such references for those of a foreign server.
/// </summary>
internal static class ServedAddress
{
    private const string Id = "root";

    /// <summary>Null for a store that no server had yet, or that cannot be read.</summary>
    public static string? Of(ServerOptions options)
    {
        var record = options.IsPostgres ? PostgresStore.Peek(options.Postgres!, RecordKind.ServedAddress, Id) : SqliteStore.Peek(options.Data, RecordKind.ServedAddress, Id);
        return record is null ? null : Encoding.UTF8.GetString(record.Body.Span);
    }

    /// <summary>Written once, and again when the address changes. A disk that is full then does not keep the server from answering reads; the next start writes it.</summary>
    public static async Task RememberAsync(IStore store, ServerAddress address, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes(address.Root);
        try
        {
            if (await store.FindRecordAsync(RecordKind.ServedAddress, Id, cancellationToken).ConfigureAwait(false) is not { } known || !known.Body.Span.SequenceEqual(body))
            {
                await store.WriteAsync([new Remembering(new StoredRecord(RecordKind.ServedAddress, Id, body))], cancellationToken).ConfigureAwait(false);
            }
        }
        catch (StoreBusyException)
        {
            // Whatever is wrong with the store, who asks hears it.
        }
    }

    private sealed class Remembering(StoredRecord record) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => transaction.PutRecord(record);
    }
}
