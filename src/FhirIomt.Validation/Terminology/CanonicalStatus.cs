using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology;

/// <summary>What a reader should know about the standing of a code system or value set.</summary>
internal static class CanonicalStatus
{
    /// <summary><c>deprecated</c>, <c>withdrawn</c>, <c>retired</c>, <c>experimental</c>, <c>draft</c>; null when nothing is to be said.</summary>
    /// <param name="resource">The code system or value set.</param>
    /// <param name="user">The value set that uses it: what is itself a draft may use drafts.</param>
    public static string? Of(ResourceNode resource, ResourceNode user)
    {
        var standards = Extensions.Text(resource, Extensions.StandardsStatus);
        if (standards is "deprecated" or "withdrawn")
        {
            return standards;
        }

        if (resource["status"u8].TextEquals("retired"u8))
        {
            return "retired";
        }

        if (!user.Exists || user == resource)
        {
            return null;
        }

        return resource["experimental"u8].IsTrue() && !user["experimental"u8].IsTrue() ? "experimental"
            : (resource["status"u8].TextEquals("draft"u8) || standards == "draft") && !user["status"u8].TextEquals("draft"u8) ? "draft"
            : null;
    }
}
