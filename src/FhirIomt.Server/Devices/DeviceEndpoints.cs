using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Smart.Tokens;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>What devices and vendors speak to: <c>/devices</c>. Errors are <c>{"issues":[…]}</c> in the receipts' own shape.</summary>
internal sealed class DeviceEndpoints(IngestPipeline pipeline, SenderCredentials credentials, MappingCatalog mappings, OperatorGate operators, IStore store, ServerOptions options)
{
    private const int MaxMappingBytes = 1024 * 1024;

    private readonly MessageSplitter _splitter = new(new SplitLimits(options.Ingest.MaxBodyBytes) { MaxMessages = options.Ingest.MaxMessages });

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes = routes.MapGroup("").AddEndpointFilter<DeviceAudit>();
        routes.Map<DeviceEndpoints>("POST", "/devices/messages", (endpoints, context) => endpoints.PostMessagesAsync(context));
        routes.Map<DeviceEndpoints>("GET", "/devices/messages/{id}", "id", (endpoints, context, id) => endpoints.GetReceiptAsync(context, id));
        routes.Map<DeviceEndpoints>("GET", "/devices/self", (endpoints, context) => endpoints.GetSelfAsync(context));
        QuarantineEndpoints.Map(routes);
        routes.Map<DeviceEndpoints>("PUT", "/devices/mappings/{name}", "name", (endpoints, context, name) => endpoints.PutMappingAsync(context, name));
    }

    private async Task PostMessagesAsync(HttpContext context)
    {
        if (await AuthenticateAsync(context).ConfigureAwait(false) is not { } sender || await FindMappingAsync(context, sender).ConfigureAwait(false) is not { } mapping)
        {
            return;
        }

        if (!IsMessageType(context.Request.ContentType))
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, DeviceIssues.BadContentType(context.Request.ContentType)).ConfigureAwait(false);
            return;
        }

        var (body, error) = await RequestBody.ReadAsync(context.Request, options.Ingest.MaxBodyBytes).ConfigureAwait(false);
        if (error is { } unreadable)
        {
            await DeviceAnswer.RefuseAsync(context, unreadable.Status, unreadable.Issue).ConfigureAwait(false);
            return;
        }

        if (!_splitter.Split(body, context.Request.ContentType!).TryGetValue(out var entries, out var issues))
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, [.. issues]).ConfigureAwait(false);
            return;
        }

        var receipts = await pipeline.ProcessAsync(new IngestRequest(sender, RequestOrigins.Of(context), mapping, entries), context.RequestAborted).ConfigureAwait(false);
        await DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("messages"u8);
            foreach (var receipt in receipts)
            {
                receipt.Write(writer);
            }

            writer.WriteEndArray();
        }).ConfigureAwait(false);
    }

    private async Task GetReceiptAsync(HttpContext context, string id)
    {
        if (await AuthenticateAsync(context).ConfigureAwait(false) is not { } sender)
        {
            return;
        }

        var receipt = await FindReceiptAsync(sender, id, context.RequestAborted).ConfigureAwait(false);
        if (!receipt.Exists)
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status404NotFound, DeviceIssues.NoSuchMessage()).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-store";
        await context.Response.BodyWriter.WriteAsync(receipt.Raw, context.RequestAborted).ConfigureAwait(false);
    }

    // A device learns whether it is known and in use, and nothing about whose it is (abuse case 47).
    private async Task GetSelfAsync(HttpContext context)
    {
        if (await AuthenticateAsync(context).ConfigureAwait(false) is not { } sender)
        {
            return;
        }

        if (sender is not Sender.Device { DeviceId: var id } || await store.ReadAsync("Device", id, context.RequestAborted).ConfigureAwait(false) is not { IsDeleted: false } device)
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status404NotFound, DeviceIssues.NotADevice()).ConfigureAwait(false);
            return;
        }

        var root = JsonTree.Parse(device.Body).Require().Root;
        await DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteString("device"u8, id);
            writer.WriteString("status"u8, root["status"u8].AsString() ?? "unknown");
        }).ConfigureAwait(false);
    }

    private async Task PutMappingAsync(HttpContext context, string name)
    {
        if (await operators.ActorAsync(context).ConfigureAwait(false) is null)
        {
            return;
        }

        var (body, error) = await RequestBody.ReadAsync(context.Request, MaxMappingBytes).ConfigureAwait(false);
        if (error is { } unreadable)
        {
            await DeviceAnswer.RefuseAsync(context, unreadable.Status, unreadable.Issue).ConfigureAwait(false);
            return;
        }

        if (!JsonTree.Parse(body).TryGetValue(out var tree, out var issues))
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, [.. issues]).ConfigureAwait(false);
            return;
        }

        var (device, fhir, identity) = (tree.Root["device"u8], tree.Root["fhir"u8], tree.Root["identity"u8]);
        if (tree.Root["rules"u8].IsArray)
        {
            // A mapping of our own is one text, and the body itself; its identity mode stands in the query.
            (device, identity) = (tree.Root, default);
        }

        if (!device.IsObject || (!fhir.IsObject && !device["rules"u8].IsArray) || (identity.Exists && IdentityModes.Parse(identity.AsText() ?? "") is null))
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, DeviceIssues.BadMappingBody()).ConfigureAwait(false);
            return;
        }

        var mode = IdentityModes.Parse(identity.AsString() ?? context.Request.Query["identity"]) ?? IdentityMode.Lookup;
        if (!(await mappings.AddAsync(name, device.Raw, fhir.IsObject ? fhir.Raw : MappingCatalog.NoFhirMapping, mode, context.RequestAborted).ConfigureAwait(false)).TryGetValue(out var added, out var warnings))
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, [.. warnings]).ConfigureAwait(false);
            return;
        }

        await DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteString("mapping"u8, added.Name);
            writer.WriteNumber("version"u8, added.Version);
            MessageReceipt.WriteIssues(writer, warnings);
        }).ConfigureAwait(false);
    }

    // A message's id says in which record its receipt lies; a receipt of somebody else is not there.
    private async ValueTask<ResourceNode> FindReceiptAsync(Sender sender, string id, CancellationToken cancellationToken)
    {
        var dash = id.LastIndexOf('-');
        if (dash < 0 || !int.TryParse(id.AsSpan(dash + 1), System.Globalization.NumberStyles.None, null, out var index))
        {
            return default;
        }

        var record = await store.FindRecordAsync(RecordKind.Receipt, ReceiptOperation.RecordId(id[..dash], index / IngestPipeline.ChunkSize), cancellationToken).ConfigureAwait(false);
        return record is null ? default : ReceiptRecord.Find(record.Body, sender.Id, id);
    }

    private async ValueTask<ActiveMapping?> FindMappingAsync(HttpContext context, Sender sender)
    {
        var name = context.Request.Query["mapping"].ToString() is { Length: > 0 } asked ? asked : context.Request.ContentType?.Contains("hl7-v2", StringComparison.OrdinalIgnoreCase) == true ? MappingCatalog.Hl7 : sender.DefaultMapping;
        if (name is null)
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, DeviceIssues.NoMapping()).ConfigureAwait(false);
            return null;
        }

        var mapping = await mappings.FindAsync(name, context.RequestAborted).ConfigureAwait(false);
        if (mapping is null)
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, DeviceIssues.UnknownMapping(name)).ConfigureAwait(false);
        }

        return mapping;
    }

    private async ValueTask<Sender?> AuthenticateAsync(HttpContext context)
    {
        var sender = await credentials.OfAsync(context).ConfigureAwait(false);
        if (sender is null)
        {
            var secret = BearerToken.Of(context.Request);
            context.Response.Headers.WWWAuthenticate = secret is null ? "Bearer" : "Bearer error=\"invalid_token\"";
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status401Unauthorized, secret is null ? DeviceIssues.CredentialMissing() : DeviceIssues.CredentialUnknown()).ConfigureAwait(false);
        }

        context.Items[DeviceAudit.SenderKey] = sender;
        return sender;
    }

    internal static bool IsMessageType(string? contentType) =>
        contentType?.Split(';')[0].Trim().ToLowerInvariant() is "application/hl7-v2" or "application/hl7-v2+er7" or "x-application/hl7-v2+er7" or "application/json" or "application/x-ndjson" or "application/ndjson" or "application/jsonl" or "text/csv" or "application/xml" or "text/xml";
}
