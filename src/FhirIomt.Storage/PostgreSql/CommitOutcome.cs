namespace FhirIomt.Storage.PostgreSql;

/// <summary>Finds out what became of a transaction whose connection was lost while it committed: PostgreSQL remembers the end of every recent transaction.</summary>
internal static class CommitOutcome
{
    // A restart after a crash takes seconds; who waits for the answer would give up at about this time.
    private const int Tries = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <exception cref="StoreLostException">It could not be found out; <see cref="StoreLostException.MayBeWritten"/> is set.</exception>
    public static bool WasCommitted(PostgresConnection connection, long transaction)
    {
        for (var tried = 0; tried < Tries; tried++)
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

        throw new StoreLostException("PostgreSQL went away while committing and did not come back to say what became of it.", mayBeWritten: true);
    }

    private static string? StatusOf(PostgresConnection connection, long transaction)
    {
        using var rows = connection.Prepare("SELECT txid_status(?)").Add(transaction).Run();
        return rows.Step() && !rows.IsNull(0) ? rows.Text(0) : null;
    }
}
