using System.Diagnostics;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>Finds out what became of a transaction whose connection was lost while it committed: PostgreSQL remembers the end of every recent transaction.</summary>
internal static class CommitOutcome
{
    // A restart after a crash takes seconds. Everybody who writes waits meanwhile, and with the last try, a connection that is not answered for 5 s and the same
    // again for the next group it must stay below the 30 s at which clients give up.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(18);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <exception cref="StoreLostException">It could not be found out; <see cref="StoreLostException.MayBeWritten"/> is set.</exception>
    public static bool WasCommitted(PostgresConnection connection, long transaction)
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            try
            {
                connection.Reopen();
                switch (StatusOf(connection, transaction))
                {
                    case "committed":
                        return true;
                    case "aborted":
                        return false;
                    case null:
                        throw new StoreLostException("PostgreSQL no longer knows the transaction that was committing.", mayBeWritten: true);
                }

                // The server has not noticed that nobody is there; its end of the lost connection must not commit later.
                connection.Prepare("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND backend_xid::text::bigint=?")
                    .Add(transaction & uint.MaxValue).Done();
            }
            catch (StoreLostException lost) when (!lost.MayBeWritten)
            {
                // Not back yet.
            }

            Thread.Sleep(Pause);
        }
        while (Stopwatch.GetElapsedTime(start) < Patience);

        throw new StoreLostException("PostgreSQL went away while committing and did not come back to say what became of it.", mayBeWritten: true);
    }

    private static string? StatusOf(PostgresConnection connection, long transaction)
    {
        using var rows = connection.Prepare("SELECT txid_status(?)").Add(transaction).Run();
        return rows.Step() && !rows.IsNull(0) ? rows.Text(0) : null;
    }
}
