using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Repository.Searching;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>$reindex</c>, an operation of this server: POST begins to index what is stored by search parameters of one's own, GET tells how far that is; at the base for all of
/// them, on a SearchParameter for that one.
/// </summary>
internal sealed class Reindex(Reindexing reindexing)
{
    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        var id = call.Id.Length > 0 ? call.Id : null;
        var begins = call.Method == HttpMethods.Post;
        var result = begins
            ? await reindexing.StartAsync(id, call.Scope, call.Cancelled).ConfigureAwait(false)
            : await reindexing.StatesAsync(id, call.Scope, call.Cancelled).ConfigureAwait(false);
        return result switch
        {
            ReindexResult.States states => FhirAnswer.Written(writer => Write(writer, states.Parameters), begins ? StatusCodes.Status202Accepted : StatusCodes.Status200OK),
            ReindexResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
            _ => throw new InvalidOperationException("ReindexResult is a closed set."),
        };
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<ReindexState> states)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        if (states.Count > 0)
        {
            writer.WriteStartArray("parameter"u8);
            foreach (var state in states)
            {
                Write(writer, state);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ReindexState state)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, "searchParameter"u8);
        writer.WriteStartArray("part"u8);
        Part(writer, "id", "valueString", state.ParameterId);
        Part(writer, "status", "valueCode", state.IsComplete ? "complete" : state.IsWaiting ? "waiting" : "running");
        if (state is { IsComplete: false, IsWaiting: false })
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, "indexed"u8);
            writer.WriteNumber("valueInteger"u8, (int)Math.Min(state.Done, int.MaxValue));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Part(Utf8JsonWriter writer, string name, string element, string value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString(element, value);
        writer.WriteEndObject();
    }
}
