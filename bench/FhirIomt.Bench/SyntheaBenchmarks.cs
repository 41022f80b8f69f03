using System.Formats.Tar;
using System.IO.Compression;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;
using FhirIomt.Validation;

namespace FhirIomt.Bench;

/// <summary>Resources of all kinds as Synthea makes them, each validated by itself: the entries of twenty patients' Bundles.</summary>
internal static class SyntheaBenchmarks
{
    private const string Archive = "conformance/synthea/synthea-20-subset.tar.gz";
    private const string UsCore = "conformance/us-core/us_core_311.tgz";

    // Enough of each type for a stable mix: every second of the 11,421 that the 20 patients have.
    private const int WantedResources = 4096;

    // A run is one pass over the Bundles.
    private const int MaxBundleBytes = 2 * 1024 * 1024;

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

        var bundles = Read(archive);
        var resources = Some(bundles);
        var validator = new ResourceValidator(FhirDefinitions.R4);
        var floor = meter.Rate("parse mixed Synthea", () => All(resources, static bytes => JsonTree.Parse(bytes)), items: resources.Count);
        meter.Rate("parse and validate mixed Synthea", () => All(resources, bytes => validator.Validate(JsonTree.Parse(bytes).Require())), "≥ 15,000/s", ("parsing alone", floor), resources.Count);
        WithUsCore(meter, workspace, resources);
        var whole = bundles.Where(bundle => bundle.Length < MaxBundleBytes).ToList();
        meter.Rate("mixed Synthea as whole Bundles, resources", () => All(whole, bytes => validator.Validate(JsonTree.Parse(bytes).Require())), items: whole.Sum(bundle => Entries(bundle).Count));
        // What each type costs is of interest when one is slow: --only "Synthea Claim", or all of them in a long run.
        foreach (var group in resources.GroupBy(TypeOf).OrderByDescending(group => group.Count()))
        {
            var ofType = group.ToList();
            var name = $"parse and validate Synthea {group.Key} ({ofType.Count})";
            if (meter.Wants(name) && ofType.Count >= 20 && !meter.IsQuick)
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

    // What Synthea's resources claim to meet: with the package loaded their profiles are checked, without it only named.
    private static void WithUsCore(CodeMeter meter, Workspace workspace, List<byte[]> resources)
    {
        const string Name = "parse and validate mixed Synthea, US Core 3.1.1 loaded";
        if (workspace.Shared(UsCore) is not { } file)
        {
            Console.WriteLine($"  {Name}: not measured, shared data '{UsCore}' is not here");
            return;
        }

        using var stream = File.OpenRead(file);
        var validator = new ResourceValidator(ProfileCatalog.BuiltIn(FhirDefinitions.R4).With(FhirPackage.Read(stream).Require()));
        meter.Rate(Name, () => All(resources, bytes => validator.Validate(JsonTree.Parse(bytes).Require())), items: resources.Count);
    }

    private static List<byte[]> Read(string archive)
    {
        var bundles = new List<byte[]>();
        using var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(packed);
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            if (entry.DataStream is { } data)
            {
                using var bytes = new MemoryStream();
                using var text = entry.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(data, CompressionMode.Decompress) : data;
                text.CopyTo(bytes);
                bundles.Add(bytes.ToArray());
            }
        }

        return bundles;
    }

    /// <summary>Every n-th resource of all patients, so that the mix is theirs.</summary>
    private static List<byte[]> Some(List<byte[]> bundles)
    {
        var all = bundles.SelectMany(Entries).ToList();
        var step = Math.Max(1, all.Count / WantedResources);
        return [.. all.Where((_, index) => index % step == 0)];
    }

    private static List<byte[]> Entries(byte[] bundle)
    {
        var entries = new List<byte[]>();
        foreach (var entry in JsonTree.Parse(bundle).Require().Root["entry"u8].Items)
        {
            entries.Add(entry["resource"u8].Raw.ToArray());
        }

        return entries;
    }
}
