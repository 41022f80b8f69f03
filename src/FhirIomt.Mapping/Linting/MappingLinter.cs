using System.Buffers;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Rules;
using FhirIomt.Mapping.Running;
using FhirIomt.Mapping.Tracing;

namespace FhirIomt.Mapping.Linting;

/// <summary>
/// Finds what loads but is wrong: codes that mean something else than what stands beside them, units that are no UCUM or do not go with the code, vital
/// signs without category, templates that nothing reaches, and expressions that cannot find anything in a sample.
/// </summary>
public static class MappingLinter
{
    /// <param name="fhir">Absent for a mapping of our own, which is one text.</param>
    /// <param name="samples">Envelopes to try it with; those that the mapping brings itself are taken too.</param>
    public static IReadOnlyList<MappingFinding> Check(ReadOnlyMemory<byte> device, ReadOnlyMemory<byte>? fhir, IReadOnlyList<JsonTree> samples)
    {
        var findings = new List<MappingFinding>();
        if (!LoadBoth(device, fhir, findings).TryGetValue(out var set, out _))
        {
            return findings;
        }

        var all = samples.Concat(set.Samples.Select(Envelope)).ToList();
        if (fhir is { } text && set.Rules is null)
        {
            var root = JsonTree.Parse(WithoutMark(text)).Require().Root;
            new FhirMappingLint(issue => findings.Add(new MappingFinding(MappingText.Fhir, issue))).CheckTemplates(root, set.TypeNames.ToHashSet(StringComparer.OrdinalIgnoreCase));
        }

        CheckTwins(set, findings);
        CheckSamples(set, all, findings);
        return findings;
    }

    /// <summary>A sample as a mapping sees it: whole, or as the Body of an envelope.</summary>
    public static JsonTree Envelope(ReadOnlyMemory<byte> sample)
    {
        var tree = JsonTree.Parse(WithoutMark(sample)).Require();
        return tree.Root["Body"u8].Exists ? tree : JsonTree.Parse((byte[])[.. "{\"Body\":"u8, .. tree.Utf8.Span, (byte)'}']).Require();
    }

    // Each half by itself says to which text its errors belong; together they may warn.
    private static Outcome<MappingSet> LoadBoth(ReadOnlyMemory<byte> device, ReadOnlyMemory<byte>? fhir, List<MappingFinding> findings)
    {
        var first = MappingSet.Load(device, null, indexed: false);
        var isOwn = first.TryGetValue(out var alone, out var issues) && alone.Rules is not null;
        findings.AddRange(issues.Select(issue => new MappingFinding(MappingText.Device, issue)));
        if (isOwn || fhir is not { } text)
        {
            return first;
        }

        var empty = """{"templateType":"CollectionContent","template":[]}"""u8.ToArray();
        var second = MappingSet.Load(empty, text, indexed: false);
        findings.AddRange(second.Issues.Where(issue => issue.Refuses).Select(issue => new MappingFinding(MappingText.Fhir, issue)));
        if (!first.Succeeded || !second.Succeeded)
        {
            return Outcome<MappingSet>.Refused([.. first.Issues, .. second.Issues]);
        }

        var both = MappingSet.Load(device, text, indexed: false);
        findings.AddRange(both.Issues.Select(issue => new MappingFinding(MappingText.Fhir, issue)));
        return both;
    }

    private static void CheckTwins(MappingSet set, List<MappingFinding> findings)
    {
        foreach (var twins in set.Plans.GroupBy(plan => (plan.Content.TypeName.ToUpperInvariant(), plan.Content.Match.Text)).Where(group => group.Count() > 1))
        {
            var first = twins.First().Content;
            findings.AddRange(twins.Skip(1).Select(plan => new MappingFinding(MappingText.Device, LintIssues.MatchedTwice(plan.Content.Position, plan.Content.TypeName, first.Position.Line))));
        }
    }

    private static void CheckSamples(MappingSet set, List<JsonTree> samples, List<MappingFinding> findings)
    {
        if (samples.Count == 0)
        {
            return;
        }

        var context = new MappingContext(TimeZoneInfo.Utc, DateTimeOffset.UnixEpoch);
        var traces = samples.Select(sample => (Sample: sample, Templates: MappingTracer.Trace(set, sample, context))).ToList();
        for (var i = 0; i < traces[0].Templates.Count; i++)
        {
            var index = i;
            CheckTemplate([.. traces.Select(trace => (trace.Sample, trace.Templates[index]))], findings);
        }

        if (set.Rules is not null)
        {
            CheckRules(set, samples, context, findings);
        }
    }

    private static void CheckTemplate(List<(JsonTree Sample, TemplateTrace Trace)> tries, List<MappingFinding> findings)
    {
        var first = tries[0].Trace;
        var matches = tries.SelectMany(attempt => attempt.Trace.Matches).ToList();
        if (matches.Count == 0)
        {
            var hint = tries.Select(attempt => Hint(attempt.Sample, first)).FirstOrDefault(hint => hint is not null);
            findings.Add(new MappingFinding(MappingText.Device, LintIssues.MatchesNothing(first.MatchPosition ?? first.Position, first.Name, first.MatchExpression, hint)));
            return;
        }

        // An expression that finds something at one match of one sample is right.
        foreach (var step in matches.SelectMany(match => match.Steps).GroupBy(step => (step.Name, step.Expression)).Where(group => group.All(step => step.Value is null)).Select(group => group.First()))
        {
            findings.Add(new MappingFinding(MappingText.Device, LintIssues.FindsNothing(step.Position ?? first.Position, step.Name, step.Expression, step.IsRequired)));
        }

        foreach (var issue in matches.SelectMany(match => match.Issues).Where(issue => issue.Refuses && issue.Code is not ("IOMT-0420" or "IOMT-0440")).DistinctBy(issue => issue.Code, StringComparer.Ordinal))
        {
            findings.Add(new MappingFinding(MappingText.Device, LintIssues.AtSample(issue with { Position = first.Position })));
        }
    }

    // A name that the match needs and the sample writes in another case.
    private static string? Hint(JsonTree sample, TemplateTrace trace)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Collect(sample.Root, names);
        foreach (var needed in trace.RequiredNames.Where(set => !set.Any(TemplateIndex.IsText) && !set.Any(names.Contains)))
        {
            var near = names.FirstOrDefault(name => needed.Any(wanted => name.Equals(wanted, StringComparison.OrdinalIgnoreCase)));
            return near is null ? $"no member '{string.Join("' or '", needed)}' in it" : $"the sample writes '{near}'";
        }

        return null;
    }

    private static void Collect(ResourceNode node, HashSet<string> names)
    {
        foreach (var child in node.Children)
        {
            names.Add(child.Name);
            Collect(child, names);
        }
    }

    private static void CheckRules(MappingSet set, List<JsonTree> samples, MappingContext context, List<MappingFinding> findings)
    {
        var seen = new HashSet<(string, TextPosition?)>();
        foreach (var reading in samples.SelectMany(sample => set.Map(sample, context).Readings).OfType<RuleReading>())
        {
            var output = new ArrayBufferWriter<byte>();
            reading.Write(output, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, DateTimeOffset.UnixEpoch, Amended: false));
            var lint = new FhirMappingLint(issue =>
            {
                if (seen.Add((issue.Code + issue.Message, issue.Position)))
                {
                    findings.Add(new MappingFinding(MappingText.Device, issue));
                }
            });
            lint.CheckResource(JsonTree.Parse(output.WrittenMemory).Require().Root, reading.Position);
        }
    }

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;
}
