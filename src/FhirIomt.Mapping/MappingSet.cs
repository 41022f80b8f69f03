using System.Security.Cryptography;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Loading;
using FhirIomt.Mapping.Rules;
using FhirIomt.Mapping.Running;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping;

/// <summary>
/// A mapping, compiled once: a device mapping and its FHIR mapping in the format of Microsoft's IoMT connector / MedTech service, or one text of our own. Immutable; any number of
/// messages may be mapped at the same time.
/// </summary>
public sealed class MappingSet : IMessageMapper
{
    private readonly ReadingPlan[] _plans;
    private readonly TemplateIndex? _index;
    private readonly TimeZoneInfo? _zone;
    private readonly RuleSet? _rules;
    private readonly bool _firstErrorEnds;

    private MappingSet(DeviceMapping device, IReadOnlyDictionary<string, FhirTemplate> fhir, string version, bool indexed)
    {
        _plans = [.. device.Templates.Select(template => ReadingPlan.For(template, fhir.GetValueOrDefault(template.TypeName), device.Defects))];
        _firstErrorEnds = device.Defects.HasFlag(ConnectorDefects.FirstErrorEndsMessage);
        _index = indexed ? TemplateIndex.For([.. device.Templates.Select(template => template.Match.RequiredNames.ToArray())]) : null;
        _zone = device.TimeZone;
        Version = version;
        TypeNames = [.. device.Templates.Select(template => template.TypeName).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    private MappingSet(RuleSet rules, string version)
    {
        _plans = [];
        _rules = rules;
        Version = version;
        TypeNames = [.. rules.Rules.Select(rule => rule.Name)];
        Samples = rules.Samples;
    }

    /// <summary>Messages that the mapping brings to be tried with, each as a body or as a whole envelope; the connector's format has none.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Samples { get; } = [];

    internal IReadOnlyList<ReadingPlan> Plans => _plans;

    internal RuleSet? Rules => _rules;

    internal TimeZoneInfo? Zone => _zone;

    /// <summary>Lower-case hex SHA-256 over both texts: tells which mapping made a reading or put a message in quarantine.</summary>
    public string Version { get; }

    /// <summary>The type names that the device mapping yields.</summary>
    public IReadOnlyList<string> TypeNames { get; }

    /// <summary>
    /// Reads both texts. All errors are collected, with line and column; codes IOMT-0401 to IOMT-0411, and IOMT-0100 to IOMT-0104 for a text that
    /// is not JSON. A success may carry warnings (IOMT-0409, IOMT-0410).
    /// </summary>
    public static Outcome<MappingSet> Load(ReadOnlyMemory<byte> deviceMapping, ReadOnlyMemory<byte> fhirMapping) => Load(deviceMapping, fhirMapping, indexed: true);

    internal static Outcome<MappingSet> Load(ReadOnlyMemory<byte> deviceMapping, ReadOnlyMemory<byte>? fhirMapping, bool indexed)
    {
        var issues = new LoadIssues();
        var parsed = Parse(deviceMapping, issues);
        if (parsed is { } root && RuleLoader.Is(root))
        {
            var rules = new RuleLoader(issues).Load(root);
            return issues.HasErrors ? Outcome<MappingSet>.Refused(issues.All) : Outcome<MappingSet>.Success(new MappingSet(rules, VersionOf(deviceMapping, default)), issues.All);
        }

        var device = parsed is { } deviceRoot ? new DeviceMappingLoader(issues).Load(deviceRoot) : null;
        var fhir = fhirMapping is { } text && Parse(text, issues) is { } fhirRoot ? new FhirMappingLoader(issues, device?.Defects ?? ConnectorDefects.None).Load(fhirRoot) : null;
        if (issues.HasErrors)
        {
            return Outcome<MappingSet>.Refused(issues.All);
        }

        if (fhir is not null)
        {
            Compare(device!, fhir, issues);
        }

        var set = new MappingSet(device!, fhir ?? new Dictionary<string, FhirTemplate>(StringComparer.OrdinalIgnoreCase), VersionOf(deviceMapping, fhirMapping ?? default), indexed);
        return Outcome<MappingSet>.Success(set, issues.All);
    }

    /// <summary>
    /// Maps one message. The result's readings refer to the envelope's bytes, so these must not change while a reading is in use.
    /// </summary>
    /// <param name="envelope">An object with <c>Body</c>, and where known <c>Properties</c> and <c>SystemProperties</c>.</param>
    public MapResult Map(JsonTree envelope, MappingContext context)
    {
        var issues = new IssueSink();
        var matches = 0;
        if (_rules is not null)
        {
            return MapByRules(envelope, context, issues);
        }

        var readings = Normalise(envelope, context, issues, ref matches);
        for (var i = readings.Count - 1; i >= 0; i--)
        {
            if (readings[i].Plan.Fhir is null)
            {
                issues.Add(ReadingIssues.NoFhirTemplate(readings[i].Type));
                readings.RemoveAt(i);
            }
        }

        if (matches == 0)
        {
            issues.Add(ReadingIssues.NothingMatched());
        }

        return new MapResult(readings, issues.All);
    }

    /// <summary>The readings of a message, for measuring and debugging.</summary>
    internal List<ObservationReading> Normalise(JsonTree envelope, MappingContext context)
    {
        var matches = 0;
        return Normalise(envelope, context, new IssueSink(), ref matches);
    }

    private MapResult MapByRules(JsonTree envelope, MappingContext context, IssueSink issues)
    {
        var made = new List<RuleReading>(1);
        if (_rules!.Run(envelope, context.DeviceTimeZone, issues, made) == 0)
        {
            issues.Add(ReadingIssues.NothingMatched());
        }
        else if (made.Count == 0 && issues.All.Count == 0)
        {
            return new MapResult([], [RuleIssues.LeftOut()]) { IsLeftOut = true };
        }

        return new MapResult(made, issues.All);
    }

    /// <summary>The first half of mapping: what a message measures, before FHIR.</summary>
    internal List<ObservationReading> Normalise(JsonTree envelope, MappingContext context, IssueSink issues, ref int matches)
    {
        var readings = new List<ObservationReading>(1);
        Span<ulong> candidates = stackalloc ulong[8];
        if (_index is not null)
        {
            candidates = _index.Words <= 8 ? candidates[.._index.Words] : new ulong[_index.Words];
            _index.Find(envelope.Root, candidates);
        }

        for (var i = 0; i < _plans.Length; i++)
        {
            if (_index is null || (candidates[i / 64] & (1UL << (i % 64))) != 0)
            {
                matches += Run(_plans[i], envelope, context.DeviceTimeZone ?? _zone, issues, readings);
                if (_firstErrorEnds && issues.HasErrors)
                {
                    break;
                }
            }
        }

        return readings;
    }

    private int Run(ReadingPlan plan, JsonTree envelope, TimeZoneInfo? zone, IssueSink issues, List<ObservationReading> readings)
    {
        if (plan.Content.Match is not JsonPathExpression path)
        {
            return RunTokens(plan, envelope, zone, issues, readings);
        }

        var found = new RowBuffer(stackalloc int[16], int.MaxValue);
        path.Select(PathScope.At(envelope, 0), ref found);
        var extractor = new ReadingExtractor(plan, zone, issues);
        for (var i = 0; i < found.Count && !(_firstErrorEnds && issues.HasErrors); i++)
        {
            var scope = plan.Content.SeesWholeEvent ? PathScope.WithMatch(envelope, found[i]) : PathScope.At(envelope, found[i]);
            if (extractor.Extract(scope) is { } reading)
            {
                readings.Add(reading);
            }
        }

        var count = found.Count;
        found.Dispose();
        return count;
    }

    private int RunTokens(ReadingPlan plan, JsonTree envelope, TimeZoneInfo? zone, IssueSink issues, List<ObservationReading> readings)
    {
        var tokens = plan.Content.Match.SelectAll(PathScope.At(envelope, 0), out var failure);
        if (failure is not null)
        {
            issues.Add(ReadingIssues.NotComputed("match", failure, plan.Content.Match));
            return 1;
        }

        var extractor = new ReadingExtractor(plan, zone, issues);
        for (var i = 0; i < tokens.Count && !(_firstErrorEnds && issues.HasErrors); i++)
        {
            var token = tokens[i];
            var scope = ReferenceEquals(token.Tree, envelope) ? PathScope.WithMatch(new JmesEvent(envelope, token.Index)) : PathScope.At(EventWith(envelope, token), 0);
            if (extractor.Extract(scope) is { } reading)
            {
                readings.Add(reading);
            }
        }

        return tokens.Count;
    }

    // A match that was computed stands in no document: the event is written anew with it.
    internal static JsonTree EventWith(JsonTree envelope, ResourceNode token)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>(envelope.Utf8.Length + token.Length + 32);
        using (var writer = new System.Text.Json.Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            foreach (var member in envelope.Root.Children)
            {
                if (!PathScope.NameIs(member.NameSpan, "matchedToken"u8))
                {
                    writer.WritePropertyName(member.Name);
                    member.WriteTo(writer);
                }
            }

            writer.WritePropertyName("matchedToken"u8);
            token.WriteTo(writer);
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    private static ResourceNode? Parse(ReadOnlyMemory<byte> text, LoadIssues issues)
    {
        var withoutMark = text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;
        if (JsonTree.Parse(withoutMark).TryGetValue(out var tree, out var found))
        {
            return tree.Root;
        }

        foreach (var issue in found)
        {
            issues.Add(issue);
        }

        return null;
    }

    private static void Compare(DeviceMapping device, IReadOnlyDictionary<string, FhirTemplate> fhir, LoadIssues issues)
    {
        foreach (var type in device.Templates.GroupBy(template => template.TypeName, StringComparer.OrdinalIgnoreCase))
        {
            if (!fhir.TryGetValue(type.Key, out var template))
            {
                issues.NoFhirTemplate(type.Key);
                continue;
            }

            if (template.Period == ReadingPeriod.Correlation && type.Any(content => content.CorrelationId is null))
            {
                issues.NoCorrelation(type.Key);
            }

            var extracted = type.SelectMany(content => content.Values).Select(value => value.Name).ToHashSet(StringComparer.Ordinal);
            var taken = template.Components.Select(component => component.Value).Prepend(template.Value).OfType<FhirValue>();
            foreach (var value in taken.Where(value => !extracted.Contains(value.Name)))
            {
                issues.ValueNeverExtracted(template.TypeName, value.Name);
            }
        }
    }

    private static string VersionOf(ReadOnlyMemory<byte> device, ReadOnlyMemory<byte> fhir)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(device.Span);
        hash.AppendData([0]);
        hash.AppendData(fhir.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
