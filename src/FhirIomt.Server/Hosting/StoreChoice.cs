using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Storage.Sql;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Server.Hosting;

/// <summary>Opens the store that the options name.</summary>
internal static class StoreChoice
{
    /// <param name="serve">For the embedded store: hold its server lock.</param>
    public static SqlStore OpenStore(this ServerOptions options, IServiceProvider services, bool serve, IProgress<long>? progress = null)
    {
        var (indexer, policy, time) = (services.GetRequiredService<SearchIndexer>(), services.GetRequiredService<IndexPolicy>(), services.GetRequiredService<TimeProvider>());
        return !options.IsPostgres
            ? SqliteStore.Open(options.Data, indexer, policy, time, serve, progress)
            : PostgresStore.Open(options.Postgres!, indexer, policy, time, progress);
    }

    extension(ServerOptions options)
    {
        public bool IsPostgres => !string.IsNullOrEmpty(options.Postgres);

        /// <summary>What people may read: never a password.</summary>
        public string StoreName => options.IsPostgres ? PostgresStore.NameOf(options.Postgres!) : Path.GetFullPath(options.Data);
    }
}
