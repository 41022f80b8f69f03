using System.Reflection;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Repository.Tests;

/// <summary>What becomes of lines while the store takes nothing, as with a full disk.</summary>
public sealed class AuditLogTests : IAsyncLifetime
{
    private const int MoreThanFit = 6000;

    private static readonly SearchIndexer Indexer = new(FhirDefinitions.R4);

    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-audit-").FullName;
    private SqliteStore _store = null!;
    private RefusingStore _refusing = null!;

    public ValueTask InitializeAsync()
    {
        _store = SqliteStore.Open(_folder, Indexer, new IndexPolicy(FhirDefinitions.R4), TimeProvider.System, serve: true);
        var proxy = DispatchProxy.Create<IStore, RefusingStore>();
        _refusing = (RefusingStore)(object)proxy;
        _refusing.Store = _store;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task While_the_store_takes_nothing_everybody_is_answered_and_afterwards_a_line_says_what_is_missing()
    {
        await using var log = NewLog(failClosed: false);
        _refusing.Refuses = true;
        for (var line = 0; line < MoreThanFit; line++)
        {
            await log.RecordAsync(new AuditEntry("read") { Target = $"Observation/{line}" }, CancellationToken.None);
        }

        await log.FlushAsync(CancellationToken.None);
        Assert.Empty(await LinesAsync());

        _refusing.Refuses = false;
        List<string> lines;
        do
        {
            await log.FlushAsync(CancellationToken.None);
            lines = await LinesAsync();
        }
        while (!lines.Exists(line => line.Contains("\"gap\"", StringComparison.Ordinal)));

        // The line comes behind the first lines that the store took; those that still waited come behind it.
        await log.FlushAsync(CancellationToken.None);
        lines = await LinesAsync();
        var kept = lines.Count(line => line.Contains("\"read\"", StringComparison.Ordinal));
        Assert.Contains($"and {MoreThanFit - kept} lines between", Assert.Single(lines, line => line.Contains("\"gap\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.InRange(kept, 4096, MoreThanFit - 1);
        Assert.Null(_store.CheckAudit(null, null).Problem);
    }

    [Fact]
    public async Task Failing_closed_whoever_cannot_be_recorded_is_refused()
    {
        await using var log = NewLog(failClosed: true);
        _refusing.Refuses = true;
        await Assert.ThrowsAsync<StoreBusyException>(async () => await log.RecordAsync(new AuditEntry("read"), CancellationToken.None));

        _refusing.Refuses = false;
        await log.RecordAsync(new AuditEntry("read"), CancellationToken.None);
        Assert.Single(await LinesAsync());
    }

    private AuditLog NewLog(bool failClosed) =>
        new((IStore)(object)_refusing, Indexer, AuditSettings.Default with { FailClosed = failClosed }, TimeProvider.System, _ => { });

    private async Task<List<string>> LinesAsync() =>
        [.. (await _store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, null, Descending: false, MoreThanFit * 2), CancellationToken.None)).Select(line => Encoding.UTF8.GetString(line.Body.Span))];

    /// <summary>The store as it is with a full disk: reads go on, writes are refused.</summary>
#pragma warning disable CA1852 // A proxy is a class derived from this one.
    public class RefusingStore : DispatchProxy
#pragma warning restore CA1852
    {
        private volatile bool _refuses;

        public bool Refuses
        {
            get => _refuses;
            set => _refuses = value;
        }

        public IStore Store { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            Refuses && targetMethod!.Name is (nameof(IStore.WriteAsync) or nameof(IStore.AppendAuditAsync)) ? Task.FromException(new StoreBusyException("The disk is full.")) : targetMethod!.Invoke(Store, args);
    }
}
