using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Account;

/// <summary>
/// What a patient refuses, as Consent resources that every request is held against: one for each refusal, under an id made of the patient and of what is refused, so
/// that refusing twice is one Consent. Allowing again makes it inactive; its history stays.
/// </summary>
internal sealed class Sharing(IStore store, ResourceWriter writer, TimeProvider time)
{
    /// <summary>Everybody but the patient, and emergencies.</summary>
    public const string Everything = "everything";

    /// <summary>What is labelled as mental health or psychiatry.</summary>
    public const string MentalHealth = "mental-health";

    private const string App = "app:";

    public static string OfApp(string clientId) => App + clientId;

    public async ValueTask<bool> IsRefusedAsync(string patientId, string what, CancellationToken cancellationToken) =>
        await store.ReadAsync("Consent", IdOf(patientId, what), cancellationToken).ConfigureAwait(false) is { IsDeleted: false } consent
        && JsonTree.Parse(consent.Body).Require().Root["status"u8].TextEquals("active"u8);

    public async Task<bool> SetAsync(UserAccount patient, string patientId, string what, bool isRefused, CancellationToken cancellationToken)
    {
        // The person writes it, and no app does (abuse case 50): the server's right, the person's name.
        var scope = AccessScope.Server with { Actor = $"user/{patient.Id}", User = patient.ToAccessUser() };
        var id = IdOf(patientId, what);
        var consent = JsonTree.Parse(Json(patientId, id, what, isRefused)).Require();
        var request = new WriteRequest.Update("Consent", new WriteTarget.Instance(id), consent, new VersionCondition(null));
        return await writer.WriteAsync(request, scope, cancellationToken).ConfigureAwait(false) is not WriteResult.Refused;
    }

    private static string IdOf(string patientId, string what) => "own-" + Secrets.Hash($"{patientId.Length}:{patientId}{what}")[..48];

    private byte[] Json(string patientId, string id, string what, bool isRefused) => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["resourceType"] = "Consent",
        ["id"] = id,
        ["status"] = isRefused ? "active" : "inactive",
        ["scope"] = Concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        ["category"] = new[] { Concept("http://loinc.org", "59284-0") },
        ["patient"] = Reference($"Patient/{patientId}"),
        ["dateTime"] = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
        ["performer"] = new[] { Reference($"Patient/{patientId}") },
        ["policyRule"] = Concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        ["provision"] = Provision(what),
    });

    private static Dictionary<string, object> Provision(string what)
    {
        var provision = new Dictionary<string, object>(StringComparer.Ordinal) { ["type"] = "deny" };
        if (what == MentalHealth)
        {
            provision["securityLabel"] = new[] { Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PSY"), Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "MH") };
        }
        else if (what.StartsWith(App, StringComparison.Ordinal))
        {
            var actor = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["role"] = Concept("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "AGNT"),
                ["reference"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["identifier"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["value"] = what[App.Length..] } },
            };
            provision["actor"] = new[] { actor };
        }

        return provision;
    }

    private static Dictionary<string, object> Concept(string system, string code) => new(StringComparer.Ordinal) { ["coding"] = new[] { Coding(system, code) } };

    private static Dictionary<string, string> Coding(string system, string code) => new(StringComparer.Ordinal) { ["system"] = system, ["code"] = code };

    private static Dictionary<string, string> Reference(string reference) => new(StringComparer.Ordinal) { ["reference"] = reference };
}
