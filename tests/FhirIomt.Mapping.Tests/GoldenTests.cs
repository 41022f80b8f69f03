using System.Globalization;
using System.Text.Json.Nodes;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Tests;

/// <summary>Recorded runs of the connector. A case must come out as recorded, unless it stands in <see cref="GoldenDifferences"/>.</summary>
public sealed class GoldenTests(ITestOutputHelper output)
{
    private static readonly MappingContext NoZone = new(null, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData("normalization.json")]
    [InlineData("extraction-edges.json")]
    public void Measurements_come_out_as_recorded(string file) => Run(file, CheckMeasurements);

    [Theory]
    [InlineData("observations.json")]
    [InlineData("end-to-end.json")]
    public void Observations_come_out_as_recorded(string file) => Run(file, test => CheckMeasurements(test) ?? CheckObservations(test));

    [Fact]
    public void Mappings_are_accepted_and_refused_as_recorded() => Run("mapping-validation.json", CheckLoad);

    [Fact]
    public void Functions_come_out_as_recorded() => Run("functions.json", CheckFunction);

    // A case that differs must stand in the list with its defect, and come out as recorded when the mapping asks for that defect.
    private void Run(string file, Func<GoldenCase, string?> check)
    {
        var (same, reproduced, without) = (0, 0, 0);
        var failures = new List<string>();
        foreach (var test in GoldenCase.Read(file))
        {
            var problem = check(test);
            var known = GoldenDifferences.All.TryGetValue(test.Id, out var difference);
            same += problem is null ? 1 : 0;
            if (!known || problem is null)
            {
                failures.AddRange(known ? [$"{test.Id}: comes out as recorded, though listed as defect {difference.Defect}"] : problem is null ? [] : [$"{test.Id}: {problem}"]);
            }
            else if (test.Id == GoldenDifferences.WithoutSwitch)
            {
                without++;
            }
            else if (check(test.With(difference.Switches)) is { } still)
            {
                failures.Add($"{test.Id}: not as recorded with {difference.Switches} either: {still}");
            }
            else
            {
                reproduced++;
            }
        }

        output.WriteLine($"{file}: {same} as recorded, {reproduced} by numbered defect and as recorded with its switch, {without} by a defect that has none");
        Assert.True(failures.Count == 0, $"{file}: {failures.Count} wrong\n" + string.Join("\n", failures));
    }

    private static string? CheckFunction(GoldenCase test)
    {
        var integers = test.Json["device"]?["connectorDefects"] is not null;
        var wantsError = test.Expect["error"] is not null;
        var expression = JmesPathExpression.Parse((string)test.Json["jmes"]!, out var refusal, integers);
        if (expression is null)
        {
            return wantsError ? null : refusal!.Message;
        }

        var given = JsonTree.Parse(System.Text.Encoding.UTF8.GetBytes(test.Json["given"]!.ToJsonString())).Require();
        var run = new JmesRun(integers);
        var value = expression.Evaluate(JmesValue.Of(given.Root), run);
        if (run.Error is { } error || wantsError)
        {
            return wantsError == run.Error is not null ? null : run.Error?.Message ?? "no error";
        }

        var found = JmesPathSuiteTests.Comparable(JsonNode.Parse(JmesFunctions.Json(value)));
        return found == JmesPathSuiteTests.Comparable(test.Expect["result"]) ? null : $"expected {test.Expect["result"]}, found {found}";
    }

    private static string? CheckLoad(GoldenCase test)
    {
        // One text is enough for these cases; the other one is empty but right.
        var device = test.Device ?? """{"templateType":"CollectionContent","template":[]}"""u8.ToArray();
        var fhir = test.Fhir ?? """{"templateType":"CollectionFhir","template":[]}"""u8.ToArray();
        var loaded = MappingSet.Load(device, fhir);
        var errors = loaded.Issues.Where(issue => issue.Refuses).ToList();
        var expected = (test.Expect["deviceMappingErrors"] ?? test.Expect["fhirMappingErrors"])?.AsArray();
        if (test.Expect["mappingException"] is not null)
        {
            return errors.Count > 0 ? null : "was accepted";
        }

        var lines = errors.Select(error => error.Position?.Line).ToArray();
        var expectedLines = expected?.Select(error => (int?)error!["line"]).ToArray() ?? [];
        // One line apart is the same finding: for an unknown template type the connector points at the template, we at its templateType.
        return expectedLines.Length == lines.Length && lines.Zip(expectedLines).All(pair => pair.Second is null || Math.Abs(pair.First!.Value - pair.Second.Value) <= 1)
            ? null
            : $"errors at lines {string.Join(",", expectedLines)} expected, found: {string.Join("; ", errors.Select(error => $"{error.Code} {error.Position} {error.Message}"))}";
    }

    private static string? CheckMeasurements(GoldenCase test)
    {
        var loaded = MappingSet.Load(test.Device!, null, indexed: true);
        if (!loaded.TryGetValue(out var mapping, out var loadIssues))
        {
            return test.Expect["deviceMappingErrors"] is not null ? null : "refused at load: " + string.Join("; ", loadIssues.Select(issue => issue.Message));
        }

        foreach (var (envelopes, expected) in test.Batches())
        {
            foreach (var (envelope, wanted) in envelopes.Zip(expected["events"]!.AsArray()))
            {
                var found = Describe(mapping, envelope, out var failed);
                var recorded = string.Join("\n", wanted!["measurements"]!.AsArray().Select(DescribeRecorded));
                if (found != recorded || failed != (wanted["error"] is not null))
                {
                    return $"expected [{recorded}] error={wanted["error"]?["message"]}, found [{found}] error={failed}";
                }
            }
        }

        return null;
    }

    private static string Describe(MappingSet mapping, byte[] envelope, out bool failed)
    {
        failed = true;
        if (!JsonTree.Parse(envelope).TryGetValue(out var tree, out _))
        {
            return "";
        }

        var issues = new IssueSink();
        var matches = 0;
        var readings = mapping.Normalise(tree, NoZone, issues, ref matches);
        failed = issues.All.Any(issue => issue.Refuses);
        return string.Join("\n", readings.Select(reading =>
            $"{reading.Type}|{reading.Start.UtcDateTime:o}|{reading.DeviceIdentifier}|{reading.PatientIdentifier ?? "-"}|{reading.EncounterIdentifier ?? "-"}|{reading.CorrelationId ?? "-"}|"
            + string.Join(",", reading.Properties.Select(property => $"{property.Name}={property.Value}"))));
    }

    private static string DescribeRecorded(JsonNode? node)
    {
        var time = DateTimeOffset.Parse((string)node!["occurrenceTimeUtc"]!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var properties = node["properties"]!.AsArray().Select(property => $"{property!["name"]}={property["value"]}");
        return $"{node["type"]}|{time.UtcDateTime:o}|{node["deviceId"]}|{(string?)node["patientId"] ?? "-"}|{(string?)node["encounterId"] ?? "-"}|{(string?)node["correlationId"] ?? "-"}|{string.Join(",", properties)}";
    }

    private static string? CheckObservations(GoldenCase test)
    {
        if (!MappingSet.Load(test.Device!, test.Fhir!).TryGetValue(out var mapping, out var loadIssues))
        {
            return "refused at load: " + string.Join("; ", loadIssues.Select(issue => issue.Message));
        }

        var shelf = new GoldenShelf();
        foreach (var (envelopes, expected) in test.Batches())
        {
            var results = envelopes.Select(envelope => mapping.Map(JsonTree.Parse(envelope).Require(), NoZone)).ToList();
            var saved = GoldenStore.Save(shelf, results.SelectMany(result => result.Readings));
            var failed = !saved || results.Any(result => result.Issues.Any(issue => issue.Refuses));
            if (failed != expected["operations"]!.AsArray().Any(operation => operation!["error"] is not null))
            {
                return $"errors expected {!failed}, found {failed}";
            }
        }

        var recorded = test.Expect["observations"]!.AsArray().Select(node => node!.AsObject()).OrderBy(node => (string)node["id"]!, StringComparer.Ordinal).ToList();
        var found = string.Join("\n", shelf.Store.Values.Select(GoldenStore.Comparable));
        var wanted = string.Join("\n", recorded.Select(GoldenStore.Comparable));
        return found == wanted ? null : $"expected\n{wanted}\nfound\n{found}";
    }
}
