using System.Collections.Frozen;

namespace FhirIomt.Repository.Auditing;

/// <summary>What a kind of line is as an AuditEvent: the codes of IHE BALP for REST, tokens and logins, DICOM's and the server's own for the rest.</summary>
/// <param name="Type">The coding of AuditEvent.type.</param>
/// <param name="Subtype">The coding of AuditEvent.subtype.</param>
/// <param name="Action">C, R, U, D or E.</param>
/// <param name="Flow">Who gives and who gets: the types of the client's and the server's agent.</param>
public sealed record AuditKind(AuditCode Type, AuditCode Subtype, string Action, AuditFlow Flow)
{
    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";
    private const string Rest = "http://hl7.org/fhir/restful-interaction";

    /// <summary>Codes of subtypes that nobody else has.</summary>
    private const string Own = "https://fhiriomt.org/profiles/iomt/CodeSystem/iomt-audit-subtype";

    private static readonly AuditCode RestType = new("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest");
    private static readonly AuditCode Authentication = new(Dicom, "110114");
    private static readonly AuditCode Activity = new(Dicom, "110100");

    private static readonly FrozenDictionary<string, AuditKind> Kinds = new Dictionary<string, AuditKind>(StringComparer.Ordinal)
    {
        ["read"] = OfRest("read", "R", AuditFlow.ToClient),
        ["vread"] = OfRest("vread", "R", AuditFlow.ToClient),
        ["create"] = OfRest("create", "C", AuditFlow.ToServer),
        ["update"] = OfRest("update", "U", AuditFlow.ToServer),
        ["patch"] = OfRest("patch", "U", AuditFlow.ToServer),
        ["delete"] = OfRest("delete", "D", AuditFlow.Delete),
        ["search-type"] = OfRest("search-type", "E", AuditFlow.ToServer),
        ["search-system"] = OfRest("search-system", "E", AuditFlow.ToServer),
        ["search-compartment"] = OfRest("search", "E", AuditFlow.ToServer),
        ["history-instance"] = OfRest("history-instance", "R", AuditFlow.ToClient),
        ["history-type"] = OfRest("history-type", "R", AuditFlow.ToClient),
        ["history-system"] = OfRest("history-system", "R", AuditFlow.ToClient),
        ["operation"] = OfRest("operation", "E", AuditFlow.ToServer),
        ["batch"] = OfRest("batch", "E", AuditFlow.ToServer),
        ["message"] = OfRest("create", "C", AuditFlow.ToServer),
        ["emergency"] = new(new(Dicom, "110113"), new(Dicom, "110127"), "E", AuditFlow.ToClient),
        ["login"] = new(Authentication, new(Dicom, "110122"), "E", AuditFlow.ToServer),
        ["logout"] = new(Authentication, new(Dicom, "110123"), "E", AuditFlow.ToServer),
        ["token"] = new(Authentication, new("urn:ihe:event-type-code", "ITI-71"), "E", AuditFlow.Authorization),
        ["introspect"] = new(Authentication, new("urn:ihe:event-type-code", "ITI-102"), "E", AuditFlow.Authorization),
        ["authorize"] = new(Authentication, new(Own, "authorize"), "E", AuditFlow.Authorization),
        ["revoke"] = new(Authentication, new(Own, "revoke"), "E", AuditFlow.Authorization),
        ["password"] = new(Authentication, new(Own, "password"), "U", AuditFlow.Authorization),
        ["passkey"] = new(Authentication, new(Own, "passkey"), "U", AuditFlow.Authorization),
        ["userinfo"] = new(Authentication, new(Own, "userinfo"), "R", AuditFlow.Authorization),
        ["launch"] = new(Authentication, new(Own, "launch"), "E", AuditFlow.Authorization),
        ["device"] = new(Activity, new(Own, "device"), "E", AuditFlow.ToServer),
        ["command"] = new(Activity, new(Own, "command"), "E", AuditFlow.ToServer),
        ["gap"] = new(Activity, new(Own, "gap"), "E", AuditFlow.ToServer),
        ["prune"] = new(Activity, new(Own, "prune"), "D", AuditFlow.ToServer),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IEnumerable<string> Codes => Kinds.Keys;

    public static AuditKind Of(string code) => Kinds.GetValueOrDefault(code) ?? Kinds["operation"];

    /// <summary>The kind of a FHIR interaction by the name that routes have.</summary>
    public static string OfRoute(string route) => route switch
    {
        "conditional-update" => "update",
        "conditional-patch" => "patch",
        "conditional-delete" => "delete",
        "batch/transaction" => "batch",
        _ => Kinds.ContainsKey(route) ? route : "operation",
    };

    private static AuditKind OfRest(string interaction, string action, AuditFlow flow) => new(RestType, new(Rest, interaction), action, flow);
}

public readonly record struct AuditCode(string System, string Code);

/// <param name="Client">The client agent's type.</param>
/// <param name="Server">The server agent's type.</param>
public sealed record AuditFlow(AuditCode Client, AuditCode Server)
{
    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";

    private static readonly AuditCode Source = new(Dicom, "110153");
    private static readonly AuditCode Destination = new(Dicom, "110152");
    private static readonly AuditCode Application = new(Dicom, "110150");

    public static AuditFlow ToClient { get; } = new(Destination, Source);

    public static AuditFlow ToServer { get; } = new(Source, Destination);

    public static AuditFlow Delete { get; } = new(Application, new("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian"));

    public static AuditFlow Authorization { get; } = new(Application, new("https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes", "AuthzOauthService"));
}
