using System.CommandLine;
using System.Text.Json;
using FhirIomt.Mapping.Linting;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt mapping lint DEVICE [FHIR] [--sample FILE] [--json]</c>. Exit code 0: no errors (there may be warnings); 1: errors; 2: a file cannot be read.</summary>
internal static class MappingLintCommand
{
    public static Command Build()
    {
        var device = new Argument<string>("DEVICE") { Description = "Device mapping, a FhirIomt mapping, or a file with both halves" };
        var fhir = new Argument<string?>("FHIR") { Description = "FHIR mapping", Arity = ArgumentArity.ZeroOrOne };
        var sample = new Option<string?>("--sample") { Description = "A message to try it with", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Findings as JSON" };
        var command = new Command("lint", "Find wrong codes and units, and what can never match") { device, fhir, sample, json };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(device)!, parsed.GetValue(fhir), parsed.GetValue(sample), parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string device, string? fhir, string? sample, bool isJson, CancellationToken cancellationToken)
    {
        if (await MappingFile.ReadAsync(device, fhir, sample, cancellationToken).ConfigureAwait(false) is not { } mapping)
        {
            return ResourceFile.Unusable;
        }

        var findings = MappingLinter.Check(mapping.Device, mapping.Fhir, mapping.Sample is { } tried ? [tried] : []);
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(findings.Select(finding => Describe(mapping, finding)), MappingTryCommand.Json));
        }
        else
        {
            foreach (var finding in findings)
            {
                var (file, at) = mapping.Place(finding.Text, finding.Issue.Position);
                Console.WriteLine($"{file}{(at is { } place ? $":{place.Line}:{place.Column}" : "")}: {NameOf(finding)} {finding.Issue.Code}: {finding.Issue.Message} {finding.Issue.Fix}".TrimEnd());
            }

            Console.WriteLine($"{findings.Count(finding => finding.Issue.Refuses)} errors, {findings.Count(finding => !finding.Issue.Refuses)} others");
        }

        return findings.Any(finding => finding.Issue.Refuses) ? 1 : 0;
    }

    private static object Describe(MappingFile mapping, MappingFinding finding)
    {
        var (file, at) = mapping.Place(finding.Text, finding.Issue.Position);
        return new { file, line = at?.Line, column = at?.Column, severity = NameOf(finding), code = finding.Issue.Code, message = finding.Issue.Message, fix = finding.Issue.Fix };
    }

    private static string NameOf(MappingFinding finding) => finding.Issue.Severity.ToString().ToLowerInvariant();
}
