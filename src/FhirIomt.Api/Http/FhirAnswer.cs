using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using FhirIomt.Api.Auditing;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>What an interaction answers, before it becomes an HTTP response or an entry of a response Bundle.</summary>
internal sealed record FhirAnswer(int Status, FhirContent? Content = null)
{
    /// <summary>The version that was read or written: ETag and Last-Modified.</summary>
    public StoredResource? Tag { get; init; }

    /// <summary>Whom it is about, for the audit.</summary>
    public AnswerSubjects? About { get; init; }

    /// <summary>Of what was written, below the base: <c>Patient/1/_history/2</c>.</summary>
    public string? Location { get; init; }

    public IReadOnlyList<Issue> Issues => Content is FhirContent.Outcome outcome ? outcome.Issues : [];

    /// <summary>A resource, as it is stored.</summary>
    public static FhirAnswer Of(StoredResource resource, int status = StatusCodes.Status200OK) => new(status, new FhirContent.Stored(resource)) { Tag = resource };

    public static FhirAnswer Refused(int status, params IReadOnlyList<Issue> issues) => new(status, new FhirContent.Outcome(issues));

    public static FhirAnswer Refused(Refusal refusal) => Refused(FhirResponse.StatusOf(refusal.Kind), refusal.Issues);

    public static FhirAnswer BadRequest(params IReadOnlyList<Issue> issues) => Refused(StatusCodes.Status400BadRequest, issues);

    /// <summary>A resource that is written for this answer.</summary>
    public static FhirAnswer Written(Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK) => new(status, new FhirContent.Made(write));

    /// <summary>A resource that was made for this answer.</summary>
    public static FhirAnswer Written(JsonTree resource) => Written(writer => resource.Root.WriteTo(writer));
}

/// <summary>The resource that an answer carries. A closed set.</summary>
internal abstract record FhirContent
{
    private FhirContent()
    {
    }

    public abstract void WriteTo(IBufferWriter<byte> output);

    /// <summary>As it is stored: no parsing, no copying but the one to the network.</summary>
    public sealed record Stored(StoredResource Resource) : FhirContent
    {
        public override void WriteTo(IBufferWriter<byte> output) => output.Write(Resource.Body.Span);
    }

    public sealed record Outcome(IReadOnlyList<Issue> Issues) : FhirContent
    {
        public override void WriteTo(IBufferWriter<byte> output) => Write(output, writer => OperationOutcome.Write(writer, Issues));
    }

    public sealed record Made(Action<Utf8JsonWriter> WriteResource) : FhirContent
    {
        public override void WriteTo(IBufferWriter<byte> output) => Write(output, WriteResource);
    }

    /// <summary>The data of a Binary by themselves.</summary>
    public sealed record Raw(string MediaType, ReadOnlyMemory<byte> Bytes) : FhirContent
    {
        public override void WriteTo(IBufferWriter<byte> output) => output.Write(Bytes.Span);
    }

    /// <summary>Written while it is read: large Bundles.</summary>
    public sealed record Streamed(Func<PipeWriter, CancellationToken, Task> StreamAsync) : FhirContent
    {
        public override void WriteTo(IBufferWriter<byte> output) => throw new InvalidOperationException("What streams is gathered first.");

        /// <summary>The whole of it, for who cannot stream: another format, an entry of a Bundle.</summary>
        public async Task<FhirContent> GatherAsync(CancellationToken cancellationToken)
        {
            using var memory = new MemoryStream();
            var pipe = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
            await StreamAsync(pipe, cancellationToken).ConfigureAwait(false);
            await pipe.CompleteAsync().ConfigureAwait(false);
            var bytes = memory.ToArray();
            return new Made(writer => writer.WriteRawValue(bytes, skipInputValidation: true));
        }
    }

    private static void Write(IBufferWriter<byte> output, Action<Utf8JsonWriter> write)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.Options);
        write(writer);
    }
}
