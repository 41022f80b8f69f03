using FhirIomt.Fhir.FhirPath;

namespace FhirIomt.Validation.Base;

/// <summary>What expressions ask of the validator: terminology and profiles. (The scope is made by the base walk, which knows neither.)</summary>
internal interface IScopeServices
{
    /// <summary>memberOf(): null when it cannot be told.</summary>
    bool? MemberOf(FhirPathItem item, string valueSet);

    /// <summary>conformsTo(): null when the profile is unknown.</summary>
    bool? ConformsTo(ResourceScope scope, FhirPathItem item, string profile);
}
