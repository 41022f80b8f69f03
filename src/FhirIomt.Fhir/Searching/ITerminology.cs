namespace FhirIomt.Fhir.Searching;

/// <summary>What searches ask of terminology. It lives in another project that this one does not know; a test may stand in for it.</summary>
public interface ITerminology
{
    /// <summary>The codes of a value set; null when it is unknown or cannot be listed.</summary>
    /// <param name="limit">More need not be listed.</param>
    IReadOnlyList<TokenMatch>? Members(string valueSet, int limit);

    /// <summary>A code with everything below it, or above it, in the hierarchy of its system; null when the system's content is not here.</summary>
    IReadOnlyList<TokenMatch>? Related(string system, string code, bool below, int limit);
}
