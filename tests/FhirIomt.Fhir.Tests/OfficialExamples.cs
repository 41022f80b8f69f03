using System.Formats.Tar;
using System.IO.Compression;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests;

/// <summary>The official R4 examples by file name; skips the test where they are not at hand.</summary>
internal static class OfficialExamples
{
    public static Dictionary<string, byte[]> Read()
    {
        var path = SharedData.Require("conformance/r4-examples/examples-json-official.tar.gz");
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using var stream = File.OpenRead(path);
        using var plain = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is { } data && entry.Name.EndsWith(".json", StringComparison.Ordinal))
            {
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                files[Path.GetFileName(entry.Name)] = bytes.ToArray();
            }
        }

        return files;
    }
}
