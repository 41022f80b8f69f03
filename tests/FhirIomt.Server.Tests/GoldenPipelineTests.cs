using System.Globalization;
using System.Text.Json.Nodes;
using FhirIomt.Server.Devices;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests;

/// <summary>
/// Recorded runs of the IoMT connector through the whole server: uploaded mapping, vendor credential, identity create, FHIR read. Compared are number, status,
/// code, category, effective time, value and components; ids differ, because our Devices and Patients are the vendor's own.
/// </summary>
public sealed class GoldenPipelineTests(TestServer server, ITestOutputHelper output) : IClassFixture<TestServer>
{
    // Where we do otherwise on purpose (docs/… mapping-compat §7; the same list stands in FhirIomt.Mapping.Tests).
    private static readonly string[] Different =
    [
        "single Quantity, two readings in one second collide (second overwrites first, period widened)",
        "Quantity text parsing of '78,5'",
        "Quantity text parsing of '1,234'",
        "value absent first, present later (peer: NotSupportedException)",
        "periodInterval 1 not supported",
        "hourly SampledData merged by a later batch",
        "hourly SampledData non-numeric value is written unchecked",
        "hourly SampledData without defaultPeriod",
        "hourly Quantity two values fails",
        "hourly Quantity one value per batch: last wins",
        "azure-sample/conversions deviceB (peer fails: 3 Quantity values in one hour)",

        // The connector drops the first of the two before it writes; we answer each message, so the first is version 1 and the second amends it.
        "single Quantity, same timestamp within batch: later ingested wins",
    ];

    [Theory]
    [InlineData("observations.json", 5)]
    [InlineData("end-to-end.json", 0)]
    public async Task Recorded_cases_come_out_of_the_server_as_recorded(string file, int atLeast)
    {
        var failures = new List<string>();
        var (same, later) = (0, 0);
        foreach (var test in JsonNode.Parse(await File.ReadAllTextAsync(SharedData.Require("conformance/mapping-golden/" + file)))!.AsArray())
        {
            var id = (string)test!["id"]!;
            if (Different.Contains(id, StringComparer.Ordinal))
            {
                later++;
                continue;
            }

            var problem = await RunAsync(test);
            same += problem is null ? 1 : 0;
            if (problem is not null)
            {
                failures.Add($"{id}: {problem}");
            }
        }

        output.WriteLine($"{file}: {same} as recorded, {later} different on purpose, {failures.Count} wrong");
        Assert.True(failures.Count == 0, string.Join("\n", failures));
        Assert.True(same >= atLeast, $"only {same} cases ran");
    }

    private async Task<string?> RunAsync(JsonNode test)
    {
        var (name, vendor) = (server.Name("golden"), server.Name("golden-vendor"));
        await server.AddMappingAsync(name, WithPatient(Text(test["device"]!)), Text(test["fhir"]!), IdentityMode.Create);
        var credential = await server.AddVendorAsync(vendor, name);
        var raw = (bool?)test["raw"] ?? false;
        foreach (var batch in test["batches"]!.AsArray())
        {
            var messages = batch!.AsArray().Select(message => message is JsonValue value && value.TryGetValue<string>(out var text) ? text : message!.ToJsonString());
            var answer = await server.PostAsync(credential, "[" + string.Join(',', messages.Select(message => raw ? message : $"{{\"Body\":{message}}}")) + "]");
            if (answer.Status != 200)
            {
                return answer.Text;
            }
        }

        var found = await FindAsync(vendor);
        var recorded = string.Join("\n", test["expect"]!["observations"]!.AsArray().Select(Describe).Order(StringComparer.Ordinal));
        return found == recorded ? null : $"expected\n{recorded}\nfound\n{found}";
    }

    private async Task<string> FindAsync(string vendor)
    {
        var token = await server.TokenAsync();
        var lines = new List<string>();
        await foreach (var device in FhirSearch.AllAsync(server.Http, server.Http.BaseAddress!.ToString(), $"Device?identifier=https://fhiriomt.org/vendors/{vendor}/devices|", token))
        {
            await foreach (var observation in FhirSearch.AllAsync(server.Http, server.Http.BaseAddress!.ToString(), $"Observation?device=Device/{device["id"]}&_count=1000", token))
            {
                lines.Add(Describe(observation));
            }
        }

        return string.Join("\n", lines.Order(StringComparer.Ordinal));
    }

    private static string Describe(JsonNode? observation)
    {
        var members = observation!.AsObject().Where(member => member.Key is "status" or "code" or "category" or "effectivePeriod" or "effectiveDateTime" or "component" || member.Key.StartsWith("value", StringComparison.Ordinal));
        return new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Normalise(member.Value)))).ToJsonString();
    }

    private static JsonNode? Normalise(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Normalise(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Normalise)]),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number =>
            JsonValue.Create((decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture) / 1.000000000000000000m).ToString(CultureInfo.InvariantCulture)),
        _ => node?.DeepClone(),
    };

    // Identity create needs a patient, and many recorded messages name none; the device stands for it there.
    private static string WithPatient(string device)
    {
        var mapping = JsonNode.Parse(device)!;
        foreach (var template in mapping["template"]!.AsArray())
        {
            var content = template!["template"]!.AsObject();
            if (content["deviceIdExpression"] is { } expression)
            {
                content["patientIdExpression"] = expression.DeepClone();
            }
        }

        return mapping.ToJsonString();
    }

    private static string Text(JsonNode node) => node is JsonValue value ? (string)value! : node.ToJsonString();
}
