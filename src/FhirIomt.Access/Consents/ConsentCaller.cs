namespace FhirIomt.Access.Consents;

/// <summary>Who asks, as consents name people and apps.</summary>
/// <param name="References">What the person is and belongs to: <c>Practitioner/1</c>, its roles, organizations with those that they are part of, care teams, groups; of a client that acts for itself its organization. Null when nobody knows.</param>
/// <param name="FhirUser">The person.</param>
/// <param name="Emergency">The patients whose record the person opened in an emergency.</param>
public sealed record ConsentCaller(string? ClientId, IReadOnlySet<string>? References, string? FhirUser, UserRole? Role, PatientSet Emergency)
{
    /// <summary>Whether a provision is about this caller; null when that cannot be told.</summary>
    public bool? Is(ConsentProvision provision, string patientId)
    {
        if (provision.Actors.Count == 0)
        {
            // Who refuses everybody does not mean themselves.
            return !(Role == UserRole.Patient && FhirUser == $"Patient/{patientId}");
        }

        var isUnknown = false;
        foreach (var actor in provision.Actors)
        {
            switch (Is(actor))
            {
                case true:
                    return true;
                case null:
                    isUnknown = true;
                    break;
            }
        }

        return isUnknown ? null : false;
    }

    /// <summary>A person asks in order to treat, or about itself; why a client asks by itself nobody knows.</summary>
    public bool? Asks(ConsentProvision provision, string patientId) => provision.Purposes.Count == 0 ? true
        : Role is null ? null
        : provision.Purposes.Contains(Role == UserRole.Patient ? "PATRQT" : Emergency.Contains(patientId) ? "ETREAT" : "TREAT", StringComparer.Ordinal);

    private bool? Is(ConsentActor actor) => actor switch
    {
        { Identifier: { } identifier } when identifier == ClientId => true,
        { Reference: { } reference } when References?.Contains(reference) == true => true,
        { Reference: { } reference } when reference.StartsWith("Device/", StringComparison.Ordinal) => ClientId is null ? false : null,
        { Reference: { } reference } when !IsKnown(reference) => null,
        { Reference: null, Identifier: null } => null,
        _ => false,
    };

    // A client that acts for itself is no person; of what it belongs to, its organization is all that can be known.
    private bool IsKnown(string reference) => reference.Split('/')[0] switch
    {
        "Practitioner" or "Patient" or "RelatedPerson" => true,
        "Organization" => References is not null,
        _ => Role is not null,
    };
}
