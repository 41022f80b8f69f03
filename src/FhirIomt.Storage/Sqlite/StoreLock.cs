using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace FhirIomt.Storage.Sqlite;

/// <summary>Says that a server runs on the store: an exclusive open of a file beside it, which the operating system lets go when the process dies.</summary>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    public static StoreLock? TryTake(string directory)
    {
        try
        {
            return new StoreLock(new FileStream(Path.Combine(directory, "server.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Waits for a command that is just opening the store; a server does not let go.</summary>
    public static StoreLock? TakeWithin(string directory, TimeSpan patience)
    {
        var step = TimeSpan.FromMilliseconds(50);
        for (var waited = TimeSpan.Zero; waited < patience; waited += step)
        {
            if (TryTake(directory) is { } taken)
            {
                return taken;
            }

            Thread.Sleep(step);
        }

        return TryTake(directory);
    }

    /// <summary>Refuses to open another user's store: files made by the wrong user (root, mostly) would lock the server out of its own data.</summary>
    public static void RequireOwner(string path)
    {
        if (OperatingSystem.IsLinux() && File.Exists(path) && OwnerOf(path) is { } owner && owner != geteuid())
        {
            throw new StoreUnusableException($"The store belongs to another user (uid {owner}). Run the command as that user.");
        }
    }

    public void Dispose() => _file.Dispose();

    [SupportedOSPlatform("linux")]
    private static uint? OwnerOf(string path)
    {
        // struct statx: stx_uid is the 32-bit word at byte 20; asking by statx keeps the layout the same on every architecture.
        var buffer = new byte[256];
        const int CurrentDirectory = -100;
        const uint AskUid = 0x8;
        return statx(CurrentDirectory, path, 0, AskUid, buffer) == 0 ? BitConverter.ToUInt32(buffer, 20) : null;
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint geteuid();

    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int directory, string path, int flags, uint mask, byte[] buffer);
}
