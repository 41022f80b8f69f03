using System.Text;

namespace FhirIomt.Server.Demo;

/// <summary>Keys and credentials of the demo: readable by the owner only, even though they are for trying out.</summary>
internal static class SecretFile
{
    /// <summary>Whoever looks sees the file that was there before or the whole new one, whenever this process ends.</summary>
    public static async Task WriteAsync(string file, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var partial = file + ".partial";
        var stream = new FileStream(partial, options);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, file, overwrite: true);
    }
}
