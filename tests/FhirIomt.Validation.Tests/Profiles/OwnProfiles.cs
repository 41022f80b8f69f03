using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Patch;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>The files of profiles/iomt as the tests see them.</summary>
internal static class OwnProfiles
{
    public const string Canonical = "https://fhiriomt.org/profiles/iomt/";
    public const string Root = Canonical + "StructureDefinition/";

    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "iomt");

    /// <summary>File names of the definitions: <c>StructureDefinition-iomt-device.json</c>.</summary>
    public static IReadOnlyList<string> Definitions { get; } = [.. Files(".").Where(name => name != "package.json")];

    /// <summary>Ids of the profiles: StructureDefinitions of a resource.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Definitions.Where(file => file.StartsWith("StructureDefinition-", StringComparison.Ordinal)).Select(Read).Where(tree => tree.Root["kind"u8].TextEquals("resource"u8)).Select(tree => tree.Root["id"u8].AsString()!)];

    /// <summary>File names of the valid examples: <c>iomt-device.glucose-sensor.json</c>.</summary>
    public static IReadOnlyList<string> Valid { get; } = Files("examples/valid");

    public static IReadOnlyList<InvalidExample> Invalid { get; } = [.. Files("examples/invalid").SelectMany(InvalidExample.Read)];

    public static JsonTree Read(string file) => JsonTree.Parse(File.ReadAllBytes(Path.Combine(Folder, file))).Require();

    public static JsonTree Example(string file) => Read(Path.Combine("examples", "valid", file));

    /// <summary>The profile of an example, by its file name.</summary>
    public static string ProfileOf(string file) => file[..file.IndexOf('.')];

    /// <summary>The invariants that a profile adds.</summary>
    public static IReadOnlyList<OwnRule> Rules(string profile)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, $"StructureDefinition-{profile}.json")));
        return [.. document.RootElement.GetProperty("differential").GetProperty("element").EnumerateArray()
            .SelectMany(element => element.TryGetProperty("constraint", out var constraints) ? constraints.EnumerateArray().ToArray() : [])
            .Select(constraint => new OwnRule(Text(constraint, "key"), Text(constraint, "severity"), Text(constraint, "human"), Text(constraint, "expression")))];

        static string Text(JsonElement constraint, string member) => constraint.GetProperty(member).GetString()!;
    }

    private static string[] Files(string folder) =>
        [.. Directory.GetFiles(Path.Combine(Folder, folder), "*.json").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}

internal sealed record OwnRule(string Key, string Severity, string Human, string Expression);

/// <summary>A valid example that was changed in one way, and the errors that this is.</summary>
/// <param name="Of">The valid example.</param>
/// <param name="Patch">RFC 6902.</param>
/// <param name="Expect">Each error as "code expression name"; the name is the element, slice, invariant or value set that the message names, where it does.</param>
internal sealed record InvalidExample(string Profile, string Name, string Of, JsonElement Patch, IReadOnlyList<string> Expect)
{
    public JsonTree Make() => JsonPatch.Apply(OwnProfiles.Example($"{Profile}.{Of}.json"), JsonTree.Parse(JsonSerializer.SerializeToUtf8Bytes(Patch)).Require().Root).Require();

    /// <summary>Whether an error is one that is expected.</summary>
    public static bool IsSame(string expected, Issue issue) =>
        expected.Split(' ') is [var code, var expression, .. var name]
        && code == issue.Code && expression == issue.Expression && name.All(part => issue.Message.Contains(part, StringComparison.Ordinal));

    public static IEnumerable<InvalidExample> Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(OwnProfiles.Folder, "examples", "invalid", file)));
        var profile = document.RootElement.GetProperty("profile").GetString()![OwnProfiles.Root.Length..];
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(example => new InvalidExample(
            profile,
            example.GetProperty("name").GetString()!,
            example.GetProperty("of").GetString()!,
            example.GetProperty("patch").Clone(),
            [.. example.GetProperty("expect").EnumerateArray().Select(line => line.GetString()!)]))];
    }
}
