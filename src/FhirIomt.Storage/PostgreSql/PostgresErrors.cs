using System.Net.Sockets;
using Npgsql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>What PostgreSQL's failures mean for who asked.</summary>
internal static class PostgresErrors
{
    /// <summary>The failure as the store's own; null for one that is a bug in a statement, which must not look like a server that is busy.</summary>
    public static StoreBusyException? Translate(Exception exception) => exception switch
    {
        PostgresException answered => Answered(answered),

        // The text of a failed connect names the server only, and the password never.
        NpgsqlException or IOException or SocketException or TimeoutException or ObjectDisposedException => new StoreLostException($"PostgreSQL does not answer: {exception.Message}"),
        _ => null,
    };

    // Appendix A of PostgreSQL's manual: the classes of SQLSTATE.
    private static StoreBusyException? Answered(PostgresException answered) => answered.SqlState switch
    {
        ['5', '7', ..] or ['0', '8', ..] or "25P03" => new StoreLostException($"PostgreSQL {answered.SqlState}: {answered.MessageText}"),
        ['5', '3', ..] or ['5', '8', ..] or ['4', '0', ..] or ['X', 'X', ..] or "55P03" or "25006" => new StoreBusyException($"PostgreSQL {answered.SqlState}: {answered.MessageText}"),
        _ => null,
    };
}
