using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>
/// capabilities (R4 §3.1.0.14): <c>GET /fhir/metadata</c>, made from the table of routes and the index policy, so that it says what is on and nothing more.
/// Made anew only when the search parameters change.
/// </summary>
internal sealed class Capabilities(IndexPolicy policy, FhirRoutes routes, RepositoryOptions options, ServerAddress address, ServerStart start)
{
    private volatile Made? _made;

    public FhirAnswer Answer()
    {
        var version = policy.Version;
        if (_made is not { } made || made.Version != version)
        {
            _made = made = new Made(version, Make(policy, routes, options, address, start));
        }

        return new(StatusCodes.Status200OK, new FhirContent.Stored(new StoredResource("CapabilityStatement", "", 0, start.At, made.Statement)));
    }

    private static ReadOnlyMemory<byte> Make(IndexPolicy policy, FhirRoutes routes, RepositoryOptions options, ServerAddress address, ServerStart start)
    {
        var output = new ArrayBufferWriter<byte>(1024 * 1024);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            new Statement(policy, routes, options, address, start).Write(writer);
        }

        return output.WrittenMemory;
    }

    /// <param name="Version">Of the parameters that it lists.</param>
    private sealed record Made(long Version, ReadOnlyMemory<byte> Statement);
}

/// <summary>Writes the statement.</summary>
internal sealed class Statement(IndexPolicy policy, FhirRoutes routes, RepositoryOptions options, ServerAddress address, ServerStart start)
{
    // R4's codes for what the routes of a type do; the conditional ones are said by flags.
    private static readonly string[] TypeInteractions = ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"];
    private static readonly string[] Patches = [MediaTypes.JsonPatch, MediaTypes.Json, MediaTypes.Xml];

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "CapabilityStatement"u8);
        writer.WriteString("status"u8, "active"u8);
        writer.WriteString("date"u8, start.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        writer.WriteString("kind"u8, "instance"u8);
        WriteList(writer, "instantiates", routes.Instantiates);
        writer.WriteStartObject("software"u8);
        writer.WriteString("name"u8, "FhirIomt"u8);
        writer.WriteString("version"u8, typeof(Capabilities).Assembly.GetName().Version!.ToString(3));
        writer.WriteEndObject();
        writer.WriteStartObject("implementation"u8);
        writer.WriteString("description"u8, "FHIR R4 server for the Internet of Medical Things"u8);
        writer.WriteString("url"u8, address.FhirBase);
        writer.WriteEndObject();
        writer.WriteString("fhirVersion"u8, "4.0.1"u8);
        WriteList(writer, "format", [MediaTypes.Json, "json", MediaTypes.Xml, "xml"]);
        WriteList(writer, "patchFormat", Patches);
        writer.WriteStartArray("rest"u8);
        writer.WriteStartObject();
        writer.WriteString("mode"u8, "server"u8);
        WriteSecurity(writer);
        writer.WriteStartArray("resource"u8);
        foreach (var type in policy.Definitions.ResourceTypes)
        {
            WriteResource(writer, type);
        }

        writer.WriteEndArray();
        WriteSystem(writer);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // SMART's first version looked for the addresses here; later ones read .well-known/smart-configuration, which says the same.
    private void WriteSecurity(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("security"u8);
        writer.WriteStartArray("extension"u8);
        writer.WriteStartObject();
        writer.WriteString("url"u8, "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"u8);
        writer.WriteStartArray("extension"u8);
        foreach (var (name, uri) in ((string, string)[])[("authorize", address.AuthorizationEndpoint), ("token", address.TokenEndpoint), ("introspect", address.IntrospectionEndpoint), ("revoke", address.RevocationEndpoint)])
        {
            writer.WriteStartObject();
            writer.WriteString("url"u8, name);
            writer.WriteString("valueUri"u8, uri);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteBoolean("cors"u8, value: true);
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
        writer.WriteEndObject();
    }

    private void WriteSystem(Utf8JsonWriter writer)
    {
        var names = routes.All.Select(route => route.Name).ToHashSet(StringComparer.Ordinal);
        writer.WriteStartArray("interaction"u8);
        foreach (var (route, code) in (ReadOnlySpan<(string, string)>)[("batch/transaction", "transaction"), ("batch/transaction", "batch"), ("search-system", "search-system"), ("history-system", "history-system")])
        {
            if (names.Contains(route))
            {
                WriteInteraction(writer, code);
            }
        }

        writer.WriteEndArray();
        WriteOperations(writer, route => !route.Pattern.Contains('/', StringComparison.Ordinal));
    }

    private void WriteResource(Utf8JsonWriter writer, string type)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteStartArray("interaction"u8);
        foreach (var interaction in type == AuditEvents.Type ? AuditEvents.Interactions : TypeInteractions)
        {
            if (routes.All.Any(route => route.Name == interaction))
            {
                WriteInteraction(writer, interaction);
            }
        }

        writer.WriteEndArray();
        if (type == AuditEvents.Type)
        {
            WriteAudit(writer, type);
            return;
        }

        writer.WriteString("versioning"u8, "versioned-update"u8);
        writer.WriteBoolean("readHistory"u8, value: true);
        writer.WriteBoolean("updateCreate"u8, value: true);
        writer.WriteBoolean("conditionalCreate"u8, value: true);
        writer.WriteString("conditionalRead"u8, "full-support"u8);
        writer.WriteBoolean("conditionalUpdate"u8, value: true);
        writer.WriteString("conditionalDelete"u8, options.MaxConditionalDeletes > 1 ? "multiple"u8 : "single"u8);
        WriteSearch(writer, type);
        WriteOperations(writer, route => route.Pattern.StartsWith(type + "/", StringComparison.Ordinal) || route.Pattern.StartsWith("{type}/", StringComparison.Ordinal));
        writer.WriteEndObject();
    }

    // Written by the server itself, once, and searched by what it is rendered from.
    private void WriteAudit(Utf8JsonWriter writer, string type)
    {
        writer.WriteString("versioning"u8, "no-version"u8);
        writer.WriteStartArray("searchParam"u8);
        foreach (var parameter in SearchCapabilities.Parameters(policy, type).Where(parameter => AuditEvents.Parameters.Contains(parameter.Code, StringComparer.Ordinal)))
        {
            WriteParameter(writer, parameter);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteSearch(Utf8JsonWriter writer, string type)
    {
        var parameters = policy.IndexedParameters(type);
        WriteList(writer, "searchInclude", ["*", .. parameters.Where(parameter => parameter.Type == SearchParameterType.Reference).Select(parameter => $"{type}:{parameter.Code}")]);
        WriteList(writer, "searchRevInclude", SearchCapabilities.ReverseIncludes(policy, type));
        writer.WriteStartArray("searchParam"u8);
        foreach (var parameter in SearchCapabilities.Parameters(policy, type))
        {
            WriteParameter(writer, parameter);
        }

        writer.WriteEndArray();
    }

    private static void WriteParameter(Utf8JsonWriter writer, (string Code, string Url, SearchParameterType Type) parameter)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, parameter.Code);
        if (parameter.Url.Length > 0)
        {
            writer.WriteString("definition"u8, parameter.Url);
        }

        writer.WriteString("type"u8, parameter.Type.ToString().ToLowerInvariant());
        writer.WriteEndObject();
    }

    private void WriteOperations(Utf8JsonWriter writer, Func<FhirRoute, bool> belongs)
    {
        var operations = routes.All.Where(route => route.OperationDefinition is not null && belongs(route)).Select(route => (Name: route.Name[1..], route.OperationDefinition)).Distinct().ToList();
        if (operations.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("operation"u8);
        foreach (var (name, definition) in operations)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            writer.WriteString("definition"u8, definition);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteInteraction(Utf8JsonWriter writer, string code)
    {
        writer.WriteStartObject();
        writer.WriteString("code"u8, code);
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
}

/// <summary>When this process started serving.</summary>
public sealed record ServerStart(DateTimeOffset At);
