using System.Reflection;
using System.Runtime.InteropServices;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// Which SQLite is loaded: the operating system's, because it is patched by its vendor; the bundled one (3.35.5) where the system has none.
/// </summary>
internal static class SqliteLibrary
{
    private static readonly string[] SystemNames = ["libsqlite3.so.0", "libsqlite3.dylib", "winsqlite3"];

    private static readonly Lazy<bool> Initialised = new(Initialise);

    public static void Load() => _ = Initialised.Value;

    private static bool Initialise()
    {
        var provider = Assembly.Load("SQLitePCLRaw.provider.e_sqlite3");
        NativeLibrary.SetDllImportResolver(provider, Resolve);
        SQLitePCL.Batteries_V2.Init();
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name == "e_sqlite3")
        {
            foreach (var candidate in SystemNames)
            {
                if (NativeLibrary.TryLoad(candidate, out var handle))
                {
                    return handle;
                }
            }
        }

        return NativeLibrary.Load(name, assembly, path);
    }
}
