using System.Text.Json;
using System.Text.Json.Nodes;

namespace FhirIomt.Mapping.Tests;

/// <summary>One recorded case: mappings, messages, and what the connector made of them.</summary>
internal sealed record GoldenCase(string File, JsonObject Json)
{
    public string Id => (string)Json["id"]!;

    public byte[]? Device => Text("device");

    public byte[]? Fhir => Text("fhir");

    public JsonObject Expect => Json["expect"]!.AsObject();

    /// <summary>What this round does not cover, found from the mapping itself; null when the case must run.</summary>
    public string? Later
    {
        get
        {
            var device = Lower(Device);
            var fhir = Lower(Fhir);
            return device.Contains("jmespath", StringComparison.Ordinal) ? "JmesPath"
                : fhir.Contains("sampleddata", StringComparison.Ordinal) ? "SampledData"
                : Periods(fhir).Any(period => period is not ("0" or "1" or "single" or "weekly")) ? "periodInterval"
                : null;
        }
    }

    public static IReadOnlyList<GoldenCase> Read(string file)
    {
        var text = System.IO.File.ReadAllText(FhirIomt.Tests.SharedData.Require("conformance/mapping-golden/" + file));
        return [.. JsonNode.Parse(text)!.AsArray().Select(node => new GoldenCase(file, node!.AsObject()))];
    }

    /// <summary>The messages of each batch as envelopes; "raw" cases hold the envelope itself.</summary>
    public IEnumerable<(byte[][] Envelopes, JsonNode Expected)> Batches()
    {
        var raw = (bool?)Json["raw"] ?? false;
        return Json["batches"]!.AsArray().Zip(Expect["batches"]!.AsArray(), (batch, expected) =>
            (batch!.AsArray().Select(message => Envelope(message!, raw)).ToArray(), expected!));
    }

    private static byte[] Envelope(JsonNode message, bool raw)
    {
        // A message kept as text keeps its digits and its mistakes.
        var body = message is JsonValue value && value.TryGetValue<string>(out var text) ? text : message.ToJsonString();
        return System.Text.Encoding.UTF8.GetBytes(raw ? body : "{\"Body\":" + body + ",\"Properties\":{},\"SystemProperties\":{}}");
    }

    // An object is written as the recorder wrote it, indented by two, so that line numbers can be compared.
    private byte[]? Text(string member) => Json[member] switch
    {
        null => null,
        JsonValue text => System.Text.Encoding.UTF8.GetBytes((string)text!),
        var node => System.Text.Encoding.UTF8.GetBytes(node.ToJsonString(new JsonSerializerOptions { WriteIndented = true })),
    };

    private static string Lower(byte[]? text) => text is null ? "" : System.Text.Encoding.UTF8.GetString(text).ToLowerInvariant();

    private static IEnumerable<string> Periods(string fhir) =>
        System.Text.RegularExpressions.Regex.Matches(fhir, "\"periodinterval\"\\s*:\\s*\"?([-a-z0-9]+)").Select(match => match.Groups[1].Value);
}
