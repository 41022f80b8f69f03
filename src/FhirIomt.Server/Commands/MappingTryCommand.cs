using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Linting;
using FhirIomt.Mapping.Tracing;
using FhirIomt.Server.Devices;
using FhirIomt.Validation;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt mapping try MAPPING SAMPLE [--fhir FILE] [--json]</c>: match → values → reading → resource → validation, each with the place in its file.
/// Exit code 0: a resource came out and all are valid; 1: not; 2: a file cannot be read.
/// </summary>
internal static class MappingTryCommand
{
    internal static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static Command Build()
    {
        var mapping = new Argument<string>("MAPPING") { Description = "A FhirIomt mapping, a device mapping, or a file with both halves" };
        var sample = new Argument<string>("SAMPLE") { Description = "A message: a body, or an envelope with Body" };
        var fhir = new Option<string?>("--fhir") { Description = "FHIR mapping, where MAPPING is a device mapping", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Steps as JSON" };
        var command = new Command("try", "Map one message step by step") { mapping, sample, fhir, json };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(mapping)!, parsed.GetValue(fhir), parsed.GetValue(sample)!, parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string mappingFile, string? fhirFile, string sampleFile, bool isJson, CancellationToken cancellationToken)
    {
        if (await MappingFile.ReadAsync(mappingFile, fhirFile, sampleFile, cancellationToken).ConfigureAwait(false) is not { } file)
        {
            return ResourceFile.Unusable;
        }

        if (!MappingSet.Load(file.Device, file.Fhir ?? """{"templateType":"CollectionFhir","template":[]}"""u8.ToArray()).TryGetValue(out var set, out var issues))
        {
            foreach (var finding in MappingLinter.Check(file.Device, file.Fhir, []).Where(finding => finding.Issue.Refuses))
            {
                ResourceFile.Warn(file.Place(finding.Text, null).File, [finding.Issue with { Position = file.Place(finding.Text, finding.Issue.Position).At }]);
            }

            return issues.Count > 0 ? 1 : ResourceFile.Unusable;
        }

        var validator = new ResourceValidator(FhirDefinitions.R4);
        var traces = MappingTracer.Trace(set, file.Sample!, new MappingContext(DeviceTimeZone: null, DateTimeOffset.UnixEpoch));
        var steps = traces.Select(trace => Describe(file, trace, validator)).ToList();
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(steps, Json));
        }
        else
        {
            steps.ForEach(Print);
        }

        var resources = steps.SelectMany(step => step.Matches).SelectMany(match => match.Resources).ToList();
        var isGood = resources.Count > 0 && steps.SelectMany(step => step.Matches).SelectMany(match => match.Problems.Concat(match.Resources.SelectMany(resource => resource.Findings))).All(problem => problem.Severity is not ("error" or "fatal"));
        return isGood ? 0 : 1;
    }

    private static TriedTemplate Describe(MappingFile file, TemplateTrace trace, ResourceValidator validator) => new(
        trace.Name,
        Place(file, MappingText.Device, trace.Position)!,
        trace.MatchExpression,
        [.. trace.Matches.Select(match => new TriedMatch(
            match.At is { } at ? Place(file, MappingText.Sample, at) : null,
            Shorten(match.Matched),
            [.. match.Steps.Select(step => new TriedStep(step.Name, step.Expression, Place(file, MappingText.Device, step.Position), step.Value is null ? null : Shorten(step.Value), Place(file, MappingText.Sample, step.At), step.Problem))],
            [.. match.Issues.Select(Finding.Of)],
            [.. match.Readings.Select(reading => Resource(reading, validator))]))]);

    private static TriedResource Resource(MappedReading reading, ResourceValidator validator)
    {
        var resource = MappingSamples.Write(reading);
        var vitalSign = VitalSigns.ProfileOf(resource.Root);
        var findings = validator.Validate(resource).Select(Finding.Of).ToList();
        if (vitalSign is not null)
        {
            // What the pipeline tells as warnings for a mapping that claims no profile.
            var known = findings.Select(finding => finding.Message).ToHashSet(StringComparer.Ordinal);
            findings.AddRange(validator.Validate(resource, [vitalSign]).Select(issue => Finding.Of(issue with { Severity = IssueSeverity.Warning })).Where(finding => !known.Contains(finding.Message)));
        }

        return new TriedResource(
            reading.ResourceType,
            reading.Start.UtcDateTime.ToString("o", System.Globalization.CultureInfo.InvariantCulture),
            reading.Window is null ? null : "shares the resource of its window; shown is how it stands by itself",
            JsonSerializer.Deserialize<JsonElement>(resource.Utf8.Span),
            findings);
    }

    private static void Print(TriedTemplate template)
    {
        Console.WriteLine($"{template.At}: {template.Name}: {template.Match}{(template.Matches.Count == 0 ? " matches nothing" : "")}");
        foreach (var match in template.Matches)
        {
            Console.WriteLine($"  match {match.At ?? "(computed)"}: {match.Value}");
            foreach (var step in match.Steps)
            {
                var found = step.Problem ?? (step.Value is null ? "nothing" : step.Value + (step.At is null ? "" : $"   {step.At}"));
                Console.WriteLine($"    {step.Name} = {step.Expression} → {found}   ({step.MappingAt})");
            }

            PrintAll("    ", match.Problems);
            foreach (var resource in match.Resources)
            {
                Console.WriteLine($"    {resource.Type} at {resource.Time}{(resource.Note is null ? "" : $" ({resource.Note})")}");
                Console.WriteLine(Indented(JsonSerializer.Serialize(resource.Resource, Json)));
                PrintAll("    ", resource.Findings);
                Console.WriteLine(resource.Findings.Exists(finding => finding.Severity is "error" or "fatal") ? "    not valid" : "    valid");
            }
        }
    }

    private static void PrintAll(string indent, IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
        {
            Console.WriteLine($"{indent}{finding.Severity} {finding.Code}: {finding.Path}{(finding.Path is null ? "" : ": ")}{finding.Message} {finding.Fix}".TrimEnd());
        }
    }

    private static string Indented(string text) => string.Join('\n', text.Split('\n').Select(line => "      " + line));

    private static string? Place(MappingFile file, MappingText text, TextPosition? position)
    {
        var (name, at) = position is null ? default : file.Place(text, position);
        return at is { } place ? $"{name}:{place.Line}:{place.Column}" : null;
    }

    // On one line, however the file is laid out.
    private static string Shorten(string text)
    {
        var line = string.Join(' ', text.Split(['\n', '\r', '\t', ' '], StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= 120 ? line : string.Concat(line.AsSpan(0, 120), "…");
    }

    private sealed record TriedTemplate(string Name, string At, string Match, List<TriedMatch> Matches);

    private sealed record TriedMatch(string? At, string Value, List<TriedStep> Steps, List<Finding> Problems, List<TriedResource> Resources);

    private sealed record TriedStep(string Name, string Expression, string? MappingAt, string? Value, string? At, string? Problem);

    private sealed record TriedResource(string Type, string Time, string? Note, JsonElement Resource, List<Finding> Findings);

    private sealed record Finding(string Severity, string Code, string? Path, string Message, string? Fix)
    {
        public static Finding Of(Issue issue) => new(issue.Severity.ToString().ToLowerInvariant(), issue.Code, issue.Expression, issue.Message, issue.Fix);
    }
}
