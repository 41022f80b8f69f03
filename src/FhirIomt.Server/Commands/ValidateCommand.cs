using System.CommandLine;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;
using FhirIomt.Validation;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt validate FILE|DIR|-… [--profile URL]… [--package FILE]… [--format text|json]</c>. Exit code 0: all valid; 1: some not; 2: a file, package
/// or argument cannot be used.
/// </summary>
internal static class ValidateCommand
{
    private static readonly string[] Resources = ["*.json", "*.xml", "*.ndjson"];

    public static Command Build()
    {
        var files = new Argument<string[]>("FILE") { Description = "Resources in JSON, XML or NDJSON, or folders of them; - for standard input", Arity = ArgumentArity.OneOrMore };
        var profiles = new Option<string[]>("--profile") { Description = "Canonical URL of a profile to meet besides those claimed", HelpName = "URL" };
        var packages = new Option<string[]>("--package") { Description = "A FHIR package (.tgz), or definitions as JSON, XML or NDJSON, or a folder of them", HelpName = "FILE" };
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("validate", "Check resources against FHIR R4 and profiles") { files, profiles, packages, format };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(files)!, parsed.GetValue(profiles) ?? [], parsed.GetValue(packages) ?? [], parsed.GetValue(format) == "json", cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string[] paths, string[] profiles, string[] packages, bool isJson, CancellationToken cancellationToken)
    {
        var catalog = await LoadAsync(packages, cancellationToken).ConfigureAwait(false);
        if (catalog is null)
        {
            return ResourceFile.Unusable;
        }

        foreach (var profile in profiles.Where(profile => catalog.Profile(profile) is null && catalog.Library.Find("StructureDefinition", Canonical.Parse(profile)) is null))
        {
            await Console.Error.WriteLineAsync($"validate: the profile {profile} is not known; give its package with --package").ConfigureAwait(false);
            return ResourceFile.Unusable;
        }

        await using var report = isJson ? ValidationReport.Json(Console.OpenStandardOutput()) : ValidationReport.Text(Console.Out, Console.Error);
        return await new FileValidation(new ResourceValidator(catalog), profiles, report).RunAsync(Expand(paths), cancellationToken).ConfigureAwait(false);
    }

    private static List<string> Expand(string[] paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                files.AddRange(Resources.SelectMany(pattern => Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories)).Order(StringComparer.Ordinal));
            }
            else
            {
                files.Add(path);
            }
        }

        return files;
    }

    /// <summary>The catalog with all packages; null after saying on standard error which cannot be used.</summary>
    private static async Task<ProfileCatalog?> LoadAsync(string[] packages, CancellationToken cancellationToken)
    {
        var catalog = ProfileCatalog.BuiltIn(FhirDefinitions.R4);
        foreach (var path in Expand(packages))
        {
            try
            {
                var added = path.EndsWith(".tgz", StringComparison.Ordinal) ? AddPackage(catalog, path) : await AddDefinitionsAsync(catalog, path, cancellationToken).ConfigureAwait(false);
                if (!added.TryGetValue(out var next, out var issues))
                {
                    ResourceFile.Refuse(path, issues);
                    return null;
                }

                catalog = next;
            }
            catch (Exception exception) when (ResourceFile.IsFileProblem(exception))
            {
                await Console.Error.WriteLineAsync($"{path}: {exception.Message}").ConfigureAwait(false);
                return null;
            }
        }

        return catalog;
    }

    private static Outcome<ProfileCatalog> AddPackage(ProfileCatalog catalog, string path)
    {
        if (!PackageShelf.Default.Load(path).TryGetValue(out var packages, out var issues))
        {
            return Outcome<ProfileCatalog>.Refused(issues);
        }

        ResourceFile.Warn(path, issues);
        return packages.Aggregate(catalog, (known, package) => known.With(package));
    }

    private static async Task<Outcome<ProfileCatalog>> AddDefinitionsAsync(ProfileCatalog catalog, string path, CancellationToken cancellationToken)
    {
        var definitions = new List<JsonTree>();
        await foreach (var (_, value) in ResourceLines.ReadAsync(path, cancellationToken).ConfigureAwait(false))
        {
            if (value.Tree is not { } tree)
            {
                return Outcome<ProfileCatalog>.Refused(value.Issues);
            }

            definitions.Add(tree);
        }

        return catalog.WithUnread(definitions);
    }
}
