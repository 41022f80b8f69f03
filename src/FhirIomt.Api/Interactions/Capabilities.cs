using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>capabilities (R4 §3.1.0.14): <c>GET /fhir/metadata</c>, made from what is on. Written again when search parameters came or went.</summary>
internal sealed class Capabilities(IndexPolicy policy, ServerAddress address, ServerStart start)
{
    private static readonly string[] Interactions = ["read", "vread", "update", "create", "search-type"];

    // Parameters for searches of every type, besides those that each type lists.
    private static readonly (string Name, string Type)[] General = [("_type", "token"), ("_text", "string"), ("_content", "string"), ("_list", "string"), ("_has", "special"), ("_filter", "special")];

    private volatile Statement? _statement;

    public async Task HandleAsync(HttpContext context)
    {
        var bytes = Current();
        context.Response.ContentType = FhirResponse.JsonType;
        context.Response.Headers.AccessControlAllowOrigin = "*";
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private byte[] Current()
    {
        var version = policy.Version;
        if (_statement is { } known && known.Version == version)
        {
            return known.Bytes;
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Options))
        {
            Write(writer);
        }

        var bytes = stream.ToArray();
        _statement = new Statement(version, bytes);
        return bytes;
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "CapabilityStatement"u8);
        writer.WriteString("status"u8, "active"u8);
        writer.WriteString("date"u8, start.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        writer.WriteString("kind"u8, "instance"u8);
        writer.WriteStartObject("software"u8);
        writer.WriteString("name"u8, "FhirIomt"u8);
        writer.WriteString("version"u8, typeof(Capabilities).Assembly.GetName().Version!.ToString(3));
        writer.WriteEndObject();
        writer.WriteStartObject("implementation"u8);
        writer.WriteString("description"u8, "FHIR R4 server for the Internet of Medical Things"u8);
        writer.WriteString("url"u8, address.FhirBase);
        writer.WriteEndObject();
        writer.WriteString("fhirVersion"u8, "4.0.1"u8);
        WriteList(writer, "format", ["application/fhir+json", "json"]);
        writer.WriteStartArray("rest"u8);
        writer.WriteStartObject();
        writer.WriteString("mode"u8, "server"u8);
        WriteSecurity(writer, address);
        writer.WriteStartArray("resource"u8);
        var referring = Referring();
        foreach (var type in policy.Definitions.ResourceTypes)
        {
            WriteResource(writer, type, policy, [.. referring[type]]);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("searchParam"u8);
        foreach (var (name, type) in General)
        {
            WriteParameter(writer, name, type);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter writer, ServerAddress address)
    {
        writer.WriteStartObject("security"u8);
        writer.WriteBoolean("cors"u8, value: false);
        writer.WriteStartArray("service"u8);
        writer.WriteStartObject();
        writer.WriteStartArray("coding"u8);
        writer.WriteStartObject();
        writer.WriteString("system"u8, "http://terminology.hl7.org/CodeSystem/restful-security-service"u8);
        writer.WriteString("code"u8, "SMART-on-FHIR"u8);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartArray("extension"u8);
        writer.WriteStartObject();
        writer.WriteString("url"u8, "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"u8);
        writer.WriteStartArray("extension"u8);
        writer.WriteStartObject();
        writer.WriteString("url"u8, "token"u8);
        writer.WriteString("valueUri"u8, address.TokenEndpoint);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // For each type what may refer to it, as _revinclude says it; parameters that allow any type would be listed everywhere.
    private ILookup<string, string> Referring() => policy.Definitions.ResourceTypes
        .SelectMany(policy.IndexedParameters).Where(parameter => parameter.Type == SearchParameterType.Reference)
        .SelectMany(parameter => parameter.Targets.Select(target => (target, Rule: $"{parameter.ResourceType}:{parameter.Code}")))
        .ToLookup(pair => pair.target, pair => pair.Rule, StringComparer.Ordinal);

    private static void WriteResource(Utf8JsonWriter writer, string type, IndexPolicy policy, IReadOnlyList<string> referring)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteStartArray("interaction"u8);
        foreach (var interaction in Interactions)
        {
            writer.WriteStartObject();
            writer.WriteString("code"u8, interaction);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("versioning"u8, "versioned-update"u8);
        writer.WriteBoolean("readHistory"u8, value: true);
        writer.WriteBoolean("updateCreate"u8, value: true);
        writer.WriteBoolean("conditionalCreate"u8, value: true);
        writer.WriteString("conditionalRead"u8, "not-match"u8);
        var parameters = policy.IndexedParameters(type);
        WriteList(writer, "searchInclude", ["*", .. parameters.Where(parameter => parameter.Type == SearchParameterType.Reference).Select(parameter => $"{type}:{parameter.Code}")]);
        WriteList(writer, "searchRevInclude", referring);
        writer.WriteStartArray("searchParam"u8);
        WriteParameter(writer, "_id", "token");
        WriteParameter(writer, "_lastUpdated", "date");
        foreach (var parameter in parameters)
        {
            WriteParameter(writer, parameter.Code, parameter.Type.ToString().ToLowerInvariant());
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter writer, string code, string type)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, code);
        writer.WriteString("type"u8, type);
        writer.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter writer, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private sealed record Statement(long Version, byte[] Bytes);
}

/// <summary>When this process started serving.</summary>
public sealed record ServerStart(DateTimeOffset At);
