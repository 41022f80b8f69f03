using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Snapshots;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Conformance;

/// <summary>A StructureDefinition: that its differential gives a snapshot, and that the profiles it names are of the types they stand at (FHIR R4 §5.3).</summary>
internal sealed class StructureDefinitionCheck(ProfileCatalog catalog) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        CanonicalUrl.Check(run, resource);
        if (resource["differential"u8].Exists && resource["derivation"u8].TextEquals("constraint"u8) && resource["baseDefinition"u8].AsString() is { } baseUrl
            && catalog.Library.Find("StructureDefinition", Canonical.Parse(baseUrl)) is not null)
        {
            var definition = resource.Index == 0 ? resource.Tree : JsonTree.Parse(resource.Raw).Require();
            foreach (var issue in SnapshotGenerator.Generate(definition, catalog.Library).Issues.Where(issue => issue.Refuses && issue.Code != "IOMT-0202"))
            {
                run.Add(ConformanceIssues.NoSnapshot, resource, issue.Message);
            }
        }

        foreach (var element in resource["differential"u8]["element"u8].Items)
        {
            foreach (var type in element["type"u8].Items)
            {
                Profiles(run, type);
            }
        }
    }

    private void Profiles(ValidationRun run, ResourceNode type)
    {
        if (type["code"u8].AsString() is not { } code || catalog.Definitions.Type(code) is not { } known)
        {
            return;
        }

        foreach (var profile in type["profile"u8].Items)
        {
            if (catalog.Library.Find("StructureDefinition", Canonical.Parse(profile.AsString() ?? "")) is { } found && found.Tree.Root["type"u8].AsString() is { } of
                && catalog.Definitions.Type(of) is { } constrained
                && (found.Tree.Root["derivation"u8].TextEquals("specialization"u8) ? !ReferenceEquals(constrained, known) : !constrained.Is(known) && !known.Is(constrained)))
            {
                run.Add(ConformanceIssues.WrongTypeProfile, profile, $"The profile is for {of}, not for {code}.");
            }
        }
    }
}
