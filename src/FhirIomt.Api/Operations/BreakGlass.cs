using System.Globalization;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Repository;
using FhirIomt.Repository.Deciding;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>POST Patient/{id}/$break-glass</c> with <c>reason</c> and, when less than an hour will do, <c>minutes</c>: opens the record to the person behind the token.
/// <c>GET Patient/{id}/$emergency-access</c> tells whoever may read the patient who did so, when and why.
/// </summary>
internal sealed class BreakGlass(EmergencyAccess emergency, ResourceRepository repository)
{
    public async Task<FhirAnswer> OpenAsync(FhirCall call)
    {
        if (!(await OperationParameters.ReadAsync(call, soleResource: null).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal))
        {
            return refusal;
        }

        if (parameters.FirstOther("reason", "minutes") is { } other)
        {
            return FhirAnswer.BadRequest(ApiIssues.UnknownArgument(other));
        }

        var minutes = parameters.Text("minutes") ?? $"{EmergencyAccess.Longest.TotalMinutes}";
        if (!int.TryParse(minutes, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return FhirAnswer.BadRequest(ApiIssues.BadArgument("minutes", minutes, "a whole number"));
        }

        var (opening, refused) = await emergency.OpenAsync(call.Scope, call.Id, parameters.Text("reason"), TimeSpan.FromMinutes(number), call.Cancelled).ConfigureAwait(false);
        return opening is null ? FhirAnswer.Refused(refused!) : FhirAnswer.Written(writer => Write(writer, [opening]), StatusCodes.Status201Created);
    }

    public async Task<FhirAnswer> ListAsync(FhirCall call)
    {
        if (await repository.ReadAsync("Patient", call.Id, call.Scope, call.Cancelled).ConfigureAwait(false) is ReadResult.Refused refused)
        {
            return FhirAnswer.Refused(refused.Refusal);
        }

        var openings = await emergency.OfPatientAsync(call.Id, call.Cancelled).ConfigureAwait(false);
        return FhirAnswer.Written(writer => Write(writer, openings));
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<EmergencyOpening> openings)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        if (openings.Count > 0)
        {
            writer.WriteStartArray("parameter"u8);
            foreach (var opening in openings)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, "access"u8);
                writer.WriteStartArray("part"u8);
                OperationParameters.WriteText(writer, "who", "String", opening.FhirUser ?? opening.UserId);
                OperationParameters.WriteText(writer, "app", "String", opening.ClientId);
                OperationParameters.WriteText(writer, "reason", "String", opening.Reason);
                OperationParameters.WriteText(writer, "from", "Instant", BundleWriter.Instant(opening.At));
                OperationParameters.WriteText(writer, "until", "Instant", BundleWriter.Instant(opening.Until));
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
