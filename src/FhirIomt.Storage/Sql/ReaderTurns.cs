namespace FhirIomt.Storage.Sql;

/// <summary>
/// Lets few readers ask at once where the engine is another process of the same machine: more of them only take the cores from each other. With 16 clients on two cores, three at a time
/// had two thirds of the CPU time for a search and a third of its p99 (docs/performance.md). Nobody waits long behind searches that do: after <see cref="Patience"/> a reader goes on without a turn.
/// </summary>
/// <param name="count">How many.</param>
internal sealed class ReaderTurns(int count) : IDisposable
{
    // Some dozen searches long.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim _turns = new(count);

    /// <summary>As many as keep every core busy while one of them is on its way.</summary>
    public static ReaderTurns OfThisMachine() => new(Environment.ProcessorCount + 1);

    /// <returns>Whether it is to be given back.</returns>
    public Task<bool> TakeAsync(CancellationToken cancellationToken) => _turns.WaitAsync(Patience, cancellationToken);

    public void GiveBack() => _turns.Release();

    public void Dispose() => _turns.Dispose();
}
