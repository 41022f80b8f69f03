using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation;

namespace FhirIomt.Bench;

/// <summary>Resources of all kinds as Synthea makes them, each validated by itself: the entries of twenty patients' Bundles.</summary>
internal static class SyntheaBenchmarks
{
    private const string Archive = "conformance/synthea/synthea-20-subset.tar.gz";

    // Enough of each type for a stable mix; all 20 patients hold some 10,000 resources.
    private const int MaxResources = 4096;

    public static void Run(CodeMeter meter, Workspace workspace)
    {
        if (!meter.Wants("Synthea"))
        {
            return;
        }

        if (workspace.Shared(Archive) is not { } archive)
        {
            Console.WriteLine($"  mixed Synthea: not measured, shared data '{Archive}' is not here");
            return;
        }

        var resources = Read(archive);
        var validator = new ResourceValidator(FhirDefinitions.R4);
        var floor = meter.Rate("parse mixed Synthea", () => All(resources, static bytes => JsonTree.Parse(bytes)), items: resources.Count);
        meter.Rate("parse and validate mixed Synthea", () => All(resources, bytes => validator.Validate(JsonTree.Parse(bytes).Require())), "≥ 15,000/s", ("parsing alone", floor), resources.Count);
        foreach (var group in resources.GroupBy(TypeOf).OrderByDescending(group => group.Count()))
        {
            var ofType = group.ToList();
            var name = $"parse and validate Synthea {group.Key} ({ofType.Count})";
            if (meter.Wants(name) && ofType.Count >= 20)
            {
                meter.Rate(name, () => All(ofType, bytes => validator.Validate(JsonTree.Parse(bytes).Require())), items: ofType.Count);
            }
        }
    }

    private static object? All(List<byte[]> resources, Func<byte[], object?> work)
    {
        foreach (var bytes in resources)
        {
            work(bytes);
        }

        return null;
    }

    private static string TypeOf(byte[] resource) => JsonTree.Parse(resource).Require().Root["resourceType"u8].AsString()!;

    /// <summary>Every n-th resource of all patients, so that the mix is theirs.</summary>
    private static List<byte[]> Read(string archive)
    {
        var all = new List<byte[]>();
        using var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(packed);
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            if (entry.DataStream is { } data)
            {
                all.AddRange(Entries(entry.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(data, CompressionMode.Decompress) : data));
            }
        }

        var step = Math.Max(1, all.Count / MaxResources);
        return [.. all.Where((_, index) => index % step == 0)];
    }

    private static List<byte[]> Entries(Stream bundle)
    {
        using var bytes = new MemoryStream();
        bundle.CopyTo(bytes);
        var entries = new List<byte[]>();
        foreach (var entry in JsonTree.Parse(bytes.ToArray()).Require().Root["entry"u8].Items)
        {
            entries.Add(entry["resource"u8].Raw.ToArray());
        }

        return entries;
    }
}
