using System.Text.Json;
using System.Text.Json.Nodes;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Tests;

/// <summary>One recorded case: mappings, messages, and what the connector made of them.</summary>
internal sealed record GoldenCase(string File, JsonObject Json)
{
    public string Id => (string)Json["id"]!;

    public byte[]? Device => Text("device");

    public byte[]? Fhir => Text("fhir");

    public JsonObject Expect => Json["expect"]!.AsObject();

    /// <summary>The same case, its device mapping asking for ways of the connector.</summary>
    public GoldenCase With(ConnectorDefects defects)
    {
        var json = Json.DeepClone().AsObject();
        var device = Json["device"] switch
        {
            null => JsonNode.Parse("""{"templateType":"CollectionContent","template":[]}""")!,
            JsonValue text => JsonNode.Parse((string)text!)!,
            var node => node.DeepClone(),
        };
        device["connectorDefects"] = new JsonArray([.. ConnectorDefectNames.All.Where(pair => defects.HasFlag(pair.Value)).Select(pair => JsonValue.Create(pair.Key))]);
        json["device"] = device;
        return this with { Json = json };
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
}
