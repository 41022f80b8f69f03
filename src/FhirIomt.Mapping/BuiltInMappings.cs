using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping;

/// <summary>A mapping that comes with the server: its two texts as they would be uploaded, and compiled.</summary>
public sealed record BuiltInMapping(string Name, ReadOnlyMemory<byte> DeviceMapping, ReadOnlyMemory<byte> FhirMapping)
{
    private readonly Lazy<MappingSet> _set = new(() => MappingSet.Load(DeviceMapping, FhirMapping).Require());

    /// <summary>Compiled at the first call.</summary>
    public MappingSet Set => _set.Value;
}

/// <summary>The mappings of profiles/mappings, one JSON file each: <c>{"name":…,"device":{…},"fhir":{…}}</c>.</summary>
public static class BuiltInMappings
{
    private const string Folder = "mappings/";

    private static readonly Lazy<IReadOnlyList<BuiltInMapping>> Loaded = new(Load);

    /// <summary>By name, in ordinal order.</summary>
    public static IReadOnlyList<BuiltInMapping> All => Loaded.Value;

    private static IReadOnlyList<BuiltInMapping> Load()
    {
        var names = typeof(BuiltInMappings).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal));
        return [.. names.Order(StringComparer.Ordinal).Select(Read)];
    }

    private static BuiltInMapping Read(string resource)
    {
        using var stream = typeof(BuiltInMappings).Assembly.GetManifestResourceStream(resource)!;
        var text = new byte[stream.Length];
        stream.ReadExactly(text);
        var root = JsonTree.Parse(text).Require().Root;
        var (device, fhir) = (root["device"u8].Raw, root["fhir"u8].Raw);
        return new BuiltInMapping(root["name"u8].AsString()!, device, fhir);
    }
}
