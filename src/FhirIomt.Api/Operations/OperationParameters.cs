using System.Buffers;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>What an operation is called with (R4 §3.2.0.1): the parameters of the address, a Parameters resource, or one resource by itself.</summary>
internal sealed class OperationParameters
{
    private static readonly string[] ShapeArguments = ["_format", "_pretty", "_summary", "_elements"];

    private OperationParameters(JsonTree tree) => Tree = tree;

    /// <summary>As a Parameters resource; what came in the address stands there as strings.</summary>
    public JsonTree Tree { get; }

    /// <param name="soleResource">The parameter that a body of another type is meant for.</param>
    /// <param name="first">Parameters to put before all others: the instance of an instance-level call.</param>
    public static async ValueTask<Outcome<OperationParameters, FhirAnswer>> ReadAsync(FhirCall call, string? soleResource, Action<Utf8JsonWriter>? first = null)
    {
        ResourceNode body = default;
        if (call.Method == HttpMethods.Post)
        {
            if (!(await call.ReadAsync().ConfigureAwait(false)).TryGetValue(out var sent, out var refusal))
            {
                return refusal;
            }

            if (sent.Bytes.Length > 0)
            {
                if (!sent.Resource().TryGetValue(out var tree, out refusal))
                {
                    return refusal;
                }

                body = tree.Root;
            }
        }

        var isParameters = body.Exists && body["resourceType"u8].TextEquals("Parameters"u8);
        if (body.Exists && !isParameters && soleResource is null)
        {
            return FhirAnswer.BadRequest(ApiIssues.NotParameters());
        }

        var output = new ArrayBufferWriter<byte>(body.Exists ? body.Length + 256 : 256);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            Write(writer, call, body, isParameters ? null : soleResource, first);
        }

        return new OperationParameters(JsonTree.Parse(output.WrittenMemory, JsonLimits.Default with { MaxBytes = int.MaxValue, MaxDepth = JsonLimits.Default.MaxDepth + 8 }).Require());
    }

    /// <summary>The first value of that name, whatever its type, as text.</summary>
    public string? Text(string name) => Texts(name).FirstOrDefault();

    public IEnumerable<string> Texts(string name) => Named(name).Select(Value).Select(value => value.AsText()).OfType<string>();

    public IEnumerable<ResourceNode> Values(string name) => Named(name).Select(Value).Where(value => value.Exists);

    /// <summary>Every parameter with a simple value, as name and text.</summary>
    public IEnumerable<Fhir.Searching.SearchArgument> All()
    {
        var all = new List<Fhir.Searching.SearchArgument>();
        foreach (var parameter in Tree.Root["parameter"u8].Items)
        {
            if (parameter["name"u8].AsString() is { } name && Value(parameter).AsText() is { } text)
            {
                all.Add(new Fhir.Searching.SearchArgument(name, text));
            }
        }

        return all;
    }

    /// <summary>The resource in the parameter of that name, or nothing.</summary>
    public ResourceNode Resource(string name) => Named(name).Select(parameter => parameter["resource"u8]).FirstOrDefault(resource => resource.IsObject);

    /// <summary>Names that are none of those; for a clear refusal.</summary>
    public string? FirstOther(params ReadOnlySpan<string> known)
    {
        foreach (var parameter in Tree.Root["parameter"u8].Items)
        {
            if (parameter["name"u8].AsString() is { } name && !known.Contains(name))
            {
                return name;
            }
        }

        return null;
    }

    private static void Write(Utf8JsonWriter writer, FhirCall call, ResourceNode body, string? soleResource, Action<Utf8JsonWriter>? first)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        writer.WriteStartArray("parameter"u8);
        first?.Invoke(writer);
        if (soleResource is not null && body.Exists)
        {
            WriteResource(writer, soleResource, body.Raw);
        }
        else
        {
            foreach (var parameter in body["parameter"u8].Items)
            {
                parameter.WriteTo(writer);
            }
        }

        foreach (var (name, value) in call.Arguments)
        {
            if (!ShapeArguments.Contains(name, StringComparer.Ordinal))
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, name);
                writer.WriteString("valueString"u8, value);
                writer.WriteEndObject();
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteResource(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> resource)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WritePropertyName("resource"u8);
        writer.WriteRawValue(resource.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }

    public static void WriteText(Utf8JsonWriter writer, string name, string type, string value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString($"value{type}", value);
        writer.WriteEndObject();
    }

    private static ResourceNode Value(ResourceNode parameter)
    {
        foreach (var member in parameter.Children)
        {
            if (member.NameSpan.StartsWith("value"u8))
            {
                return member;
            }
        }

        return default;
    }

    private List<ResourceNode> Named(string name)
    {
        var found = new List<ResourceNode>();
        foreach (var parameter in Tree.Root["parameter"u8].Items)
        {
            if (parameter["name"u8].AsString() == name)
            {
                found.Add(parameter);
            }
        }

        return found;
    }
}
