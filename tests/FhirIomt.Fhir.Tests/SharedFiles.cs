using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests;

/// <summary>Reads the archives of the shared data.</summary>
internal static class SharedFiles
{
    /// <summary>The regular files of a .tar.gz, .tgz or .tar.xz; skips the test where the archive (or for .xz the program xz) is missing.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> Read(string relativePath)
    {
        var path = SharedData.Require(relativePath);
        using Stream stream = path.EndsWith(".xz", StringComparison.Ordinal) ? Unpack(path) : new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var tar = new TarReader(stream);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is { } data)
            {
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                yield return (entry.Name, bytes.ToArray());
            }
        }
    }

    public static IEnumerable<byte[]> ReadLines(string relativePath)
    {
        using var plain = new GZipStream(File.OpenRead(SharedData.Require(relativePath)), CompressionMode.Decompress);
        using var reader = new StreamReader(plain);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                yield return System.Text.Encoding.UTF8.GetBytes(line);
            }
        }
    }

    /// <summary>The program's output; null when it is not installed.</summary>
    public static (int ExitCode, string Error)? Run(string program, params string[] arguments)
    {
        if (!IsInstalled(program))
        {
            return null;
        }

        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }

    private static MemoryStream Unpack(string path)
    {
        Assert.SkipUnless(IsInstalled("xz"), "the program xz is not installed");
        using var process = Process.Start(new ProcessStartInfo("xz", ["-dc", path]) { RedirectStandardOutput = true })!;
        var bytes = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(bytes);
        process.WaitForExit();
        bytes.Position = 0;
        return bytes;
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
