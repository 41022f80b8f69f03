namespace FhirIomt.Smart.Clients;

/// <summary>Scopes that are no FHIR scopes: those of SMART and OpenID Connect, and rights of our own with the two underscores that SMART gives extensions.</summary>
public static class ScopeNames
{
    public const string OpenId = "openid";
    public const string FhirUser = "fhirUser";
    public const string Profile = "profile";
    public const string Launch = "launch";
    public const string LaunchPatient = "launch/patient";
    public const string LaunchEncounter = "launch/encounter";
    public const string OnlineAccess = "online_access";
    public const string OfflineAccess = "offline_access";

    /// <summary>To configure the server, such as its device mappings.</summary>
    public const string OperatorRight = "__operator";

    /// <summary>To announce launches: the EHR's right.</summary>
    public const string LaunchRight = "__launch";

    /// <summary>To introspect tokens of any client.</summary>
    public const string IntrospectRight = "__introspect";

    /// <summary>What an app can ask a person for.</summary>
    public static IReadOnlyList<string> ForPeople { get; } = [OpenId, FhirUser, Profile, Launch, LaunchPatient, LaunchEncounter, OnlineAccess, OfflineAccess];

    /// <summary>What only a confidential client can be given.</summary>
    public static IReadOnlyList<string> Rights { get; } = [OperatorRight, LaunchRight, IntrospectRight];

    internal static bool IsForPeople(string scope) => ForPeople.Contains(scope, StringComparer.Ordinal);

    internal static bool IsRight(string scope) => Rights.Contains(scope, StringComparer.Ordinal);
}
