using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Npgsql;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>
/// Lets whoever asks PostgreSQL wait for the answer in the kernel. Npgsql connects with a socket that does not block, and .NET never lets such a socket block again: each answer
/// is then heard by the runtime's socket thread, which wakes the one that waits. Without that detour a search of fifty takes 0.88 of the CPU time and 1.17 as many are answered
/// (docs/performance.md). For connections that are used synchronously only, as ours are.
/// </summary>
internal static class BlockingSocket
{
    // fcntl(2) on Linux; O_NONBLOCK is 2048 on the architectures that .NET runs on.
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int NonBlocking = 0x800;

    // Npgsql does not show its socket. Should a later one be built otherwise, everything works as before and a test tells.
    private static readonly PropertyInfo? Connector = typeof(NpgsqlConnection).GetProperty("Connector", BindingFlags.NonPublic | BindingFlags.Instance);
    private static readonly FieldInfo? Inner = Connector?.PropertyType.GetField("_socket", BindingFlags.NonPublic | BindingFlags.Instance);

    /// <param name="connection">Open.</param>
    /// <returns>Whether it blocks now. A time limit may be waited for twice: in the kernel, and then by .NET, which takes the first for a socket that does not block.</returns>
    public static bool TryMake(NpgsqlConnection connection)
    {
        if (!OperatingSystem.IsLinux() || Connector?.GetValue(connection) is not { } connector || Inner?.GetValue(connector) is not Socket socket)
        {
            return false;
        }

        var descriptor = (int)socket.Handle;
        var flags = fcntl(descriptor, GetFlags, 0);
        return flags >= 0 && fcntl(descriptor, SetFlags, flags & ~NonBlocking) >= 0;
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int fcntl(int descriptor, int command, int value);
}
