using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Authorize;

/// <summary><c>POST /auth/launches</c>: an EHR announces that one of its users is about to start an app for a patient, and gets the launch value for the app's address.</summary>
internal sealed class LaunchEndpoint(AccessTokens tokens, ClientDirectory clients, UserDirectory users, IStore store, LaunchParts parts)
{
    private const int MaxBytes = 64 * 1024;

    private static readonly string[] Members = ["client_id", "user", "patient", "encounter", "intent", "fhirContext", "need_patient_banner"];

    public async Task HandleAsync(HttpContext context)
    {
        OAuthResponse.NoStore(context.Response);
        var bearer = TokenInformation.Bearer(context.Request);
        if (bearer is null || await tokens.ResolveAsync(bearer, context.RequestAborted).ConfigureAwait(false) is not { } grant)
        {
            context.Response.Headers.WWWAuthenticate = bearer is null ? "Bearer" : "Bearer error=\"invalid_token\"";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, SmartIssues.LaunchTokenInvalid()).ConfigureAwait(false);
            return;
        }

        if (!grant.Has(ScopeNames.LaunchRight))
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{ScopeNames.LaunchRight}\"";
            await RefuseAsync(context, StatusCodes.Status403Forbidden, SmartIssues.NoLaunchRight()).ConfigureAwait(false);
            return;
        }

        if (!(await CheckAsync(context).ConfigureAwait(false)).TryGetValue(out var ticket, out var issues))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, issues[0]).ConfigureAwait(false);
            return;
        }

        (AuditNote.Of(context).ClientId, AuditNote.Of(context).Patient) = (grant.Scope.ClientId, ticket.Context.Patient);
        var launch = parts.NewSecret();
        await store.WriteAsync([new Change([Records.Of(RecordKind.Launch, Secrets.Hash(launch), ticket, Records.Default.LaunchTicket, parts.Now + LaunchTicket.Kept)])], context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status201Created;
        await context.Response.WriteAsJsonAsync(new LaunchAnswer(launch, (int)LaunchTicket.Lifetime.TotalSeconds), SmartJson.Default.LaunchAnswer, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }

    private async ValueTask<Outcome<LaunchTicket>> CheckAsync(HttpContext context)
    {
        if (await ReadAsync(context.Request, context.RequestAborted).ConfigureAwait(false) is not { } body)
        {
            return SmartIssues.BadLaunch();
        }

        if (await clients.FindEnabledAsync(body["client_id"u8].AsString() ?? "", context.RequestAborted).ConfigureAwait(false) is not { RedirectUris.Count: > 0 } client || !client.Scopes.Contains(ScopeNames.Launch, StringComparer.Ordinal))
        {
            return SmartIssues.UnknownLaunchClient();
        }

        if (await users.FindEnabledAsync(body["user"u8].AsString() ?? "", context.RequestAborted).ConfigureAwait(false) is not { } user)
        {
            return SmartIssues.UnknownLaunchUser();
        }

        if (!(await ContextAsync(body, context.RequestAborted).ConfigureAwait(false)).TryGetValue(out var launch, out var issues))
        {
            return Outcome<LaunchTicket>.Refused(issues);
        }

        return new LaunchTicket(client.ClientId, user.Name, launch, parts.Now + LaunchTicket.Lifetime);
    }

    private async ValueTask<Outcome<LaunchContext>> ContextAsync(ResourceNode body, CancellationToken cancellationToken)
    {
        var (patient, encounter) = (body["patient"u8].AsString(), body["encounter"u8].AsString());
        if (patient is not null && (!PatientChoice.IsId(patient) || await store.ReadAsync("Patient", patient, cancellationToken).ConfigureAwait(false) is not { IsDeleted: false }))
        {
            return SmartIssues.UnknownLaunchResource("patient");
        }

        if (encounter is not null && !await IsEncounterOfAsync(encounter, patient, cancellationToken).ConfigureAwait(false))
        {
            return SmartIssues.UnknownLaunchResource("encounter");
        }

        var fhirContext = body["fhirContext"u8];
        if (fhirContext.Exists && !IsFhirContext(fhirContext))
        {
            return SmartIssues.BadFhirContext();
        }

        return new LaunchContext
        {
            Patient = patient,
            Encounter = encounter,
            Intent = body["intent"u8].AsString(),
            FhirContext = fhirContext.Exists ? Element(fhirContext) : null,
            NeedPatientBanner = !body["need_patient_banner"u8].Exists || body["need_patient_banner"u8].Kind == NodeKind.True,
        };
    }

    private async ValueTask<bool> IsEncounterOfAsync(string id, string? patient, CancellationToken cancellationToken)
    {
        if (!PatientChoice.IsId(id) || await store.ReadAsync("Encounter", id, cancellationToken).ConfigureAwait(false) is not { IsDeleted: false } encounter)
        {
            return false;
        }

        var subject = JsonTree.Parse(encounter.Body).Require().Root["subject"u8]["reference"u8].AsString();
        return patient is null || subject is null || subject == $"Patient/{patient}" || subject == $"{parts.FhirBase}/Patient/{patient}";
    }

    // SMART App Launch 2.2 §4.3: who the patient and the encounter are is said by their own parameters.
    private static bool IsFhirContext(ResourceNode fhirContext)
    {
        if (!fhirContext.IsArray)
        {
            return false;
        }

        foreach (var entry in fhirContext.Items)
        {
            var reference = entry["reference"u8].AsString();
            var type = reference?.Split('/')[0] ?? entry["type"u8].AsString();
            var role = entry["role"u8];
            var isNamed = reference is not null ? reference.Split('/') is [_, { Length: > 0 }] : entry["canonical"u8].AsString() is { Length: > 0 } || entry["identifier"u8].IsObject;
            var isContextItself = type is "Patient" or "Encounter" && (!role.Exists || role.TextEquals("launch"u8));
            if (!entry.IsObject || !isNamed || isContextItself || (type is not null && !FhirDefinitions.R4.IsResourceType(type)) || (role.Exists && role.AsString() is not { Length: > 0 }))
            {
                return false;
            }
        }

        return true;
    }

    private static async ValueTask<ResourceNode?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType() || request.ContentLength > MaxBytes)
        {
            return null;
        }

        using var stream = new MemoryStream();
        try
        {
            request.LimitBody(MaxBytes);
            await request.Body.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        catch (BadHttpRequestException)
        {
            return null;
        }

        if (!JsonTree.Parse(stream.ToArray(), new JsonLimits(MaxBytes, 16)).TryGetValue(out var tree, out _) || !tree.Root.IsObject)
        {
            return null;
        }

        foreach (var member in tree.Root.Children)
        {
            // A misspelt name would start an app without its patient.
            if (!Members.Contains(member.Name, StringComparer.Ordinal) || (member.Name is "client_id" or "user" or "patient" or "encounter" or "intent" && !member.IsString))
            {
                return null;
            }
        }

        return tree.Root;
    }

    private static JsonElement Element(ResourceNode node)
    {
        using var document = JsonDocument.Parse(node.Raw);
        return document.RootElement.Clone();
    }

    private static Task RefuseAsync(HttpContext context, int status, Issue issue)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(
            new IssuesAnswer([new IssueAnswer(issue.Code, issue.Message, issue.Expression, issue.Fix)]), SmartJson.Default.IssuesAnswer, cancellationToken: context.RequestAborted);
    }
}

/// <summary>What announcing a launch needs of its surroundings.</summary>
internal sealed class LaunchParts(ServerAddress address, IdSource ids, TimeProvider time)
{
    public string FhirBase => address.FhirBase;

    public DateTimeOffset Now => time.GetUtcNow();

    public string NewSecret() => ids.NewSecret();
}
