using FhirIomt.Core;

namespace FhirIomt.Validation.Terminology;

/// <summary>What can be said about a code.</summary>
public enum CodeStanding
{
    /// <summary>It is in the value set (or, without one, in its code system).</summary>
    InSet,

    /// <summary>It exists in its code system, but is not in the value set.</summary>
    NotInSet,

    /// <summary>Its code system is here in full and has no such code; or its form or check digit cannot be right.</summary>
    UnknownCode,

    /// <summary>It is in the set's definition but inactive, and the set takes only active codes.</summary>
    Inactive,

    /// <summary>Nothing is known of its code system, not even by name.</summary>
    UnknownSystem,

    /// <summary>Its code system is known by name (LOINC, SNOMED CT…), but the content is not here: the code cannot be checked further.</summary>
    SystemNotLoaded,

    /// <summary>The value set itself, or something that it draws on, is not here or cannot be evaluated.</summary>
    ValueSetNotUsable,
}

/// <summary>The result of checking one code.</summary>
/// <param name="Standing">The main answer.</param>
/// <param name="Display">The right display of the concept, when known.</param>
/// <param name="DisplayIsWrong">The display given is not one of the concept's. The code may be right nevertheless.</param>
/// <param name="Issues">All findings, with codes IOMT-0250 to IOMT-0279; severities as a terminology server gives them.</param>
public sealed record CodeValidation(CodeStanding Standing, string? Display, bool DisplayIsWrong, IReadOnlyList<Issue> Issues)
{
    /// <summary>True, false, or null when it cannot be said.</summary>
    public bool? IsMember => Standing switch
    {
        CodeStanding.InSet => true,
        CodeStanding.UnknownSystem or CodeStanding.SystemNotLoaded or CodeStanding.ValueSetNotUsable => null,
        _ => false,
    };
}
