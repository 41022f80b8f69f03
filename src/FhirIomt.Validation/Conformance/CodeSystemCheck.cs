using System.Globalization;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Conformance;

/// <summary>A CodeSystem: that content, count and supplements say what is there, and that properties name codes that exist (FHIR R4 §4.8).</summary>
internal sealed class CodeSystemCheck(TerminologyService terminology) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        CanonicalUrl.Check(run, resource);
        var content = resource["content"u8];
        if (content.TextEquals("not-present"u8) && resource["concept"u8].Exists)
        {
            run.Add(ConformanceIssues.BadContent, resource["concept"u8].First(), "The code system says that its content is not present, but has concepts.");
        }

        if (content.TextEquals("complete"u8) && int.TryParse(resource["count"u8].AsText(), CultureInfo.InvariantCulture, out var count) && Count(resource) is var found && found != count)
        {
            run.Add(ConformanceIssues.BadContent, resource["count"u8], $"The code system has {found} concepts.");
        }

        if (resource["supplements"u8].AsString() is { } supplemented)
        {
            Supplement(run, resource, Canonical.Parse(supplemented));
        }

        Properties(run, resource);
    }

    private static int Count(ResourceNode holder)
    {
        var count = 0;
        foreach (var concept in holder["concept"u8].Items)
        {
            count += 1 + Count(concept);
        }

        return count;
    }

    private void Supplement(ValidationRun run, ResourceNode resource, Canonical supplemented)
    {
        if (!resource["content"u8].TextEquals("supplement"u8))
        {
            run.Add(ConformanceIssues.BadSupplement, resource["content"u8].Exists ? resource["content"u8] : resource, "A code system that supplements another has the content 'supplement'.");
        }

        var content = terminology.Store.CodeSystem(supplemented.Url, supplemented.Version);
        foreach (var concept in resource["concept"u8].Items)
        {
            var code = concept["code"u8].AsString() ?? "";
            var isWrong = content is not null ? !content.IsFragment && content.Find(code) is null : terminology.Store.External.FormOf(supplemented.Url, code) == Terminology.CodeSystems.CodeForm.Malformed;
            if (isWrong)
            {
                run.Add(ConformanceIssues.BadSupplement, concept, $"The code system {supplemented.Url} has no such code.");
            }
        }
    }

    private static void Properties(ValidationRun run, ResourceNode resource)
    {
        foreach (var property in resource["property"u8].Items)
        {
            if (property["code"u8].AsString() is { Length: 0 })
            {
                run.Add(ConformanceIssues.BadContent, property, "A property has a code.");
            }
        }
    }
}

/// <summary>A ConceptMap maps codes that exist, from and to its value sets (FHIR R4 §4.10).</summary>
internal sealed class ConceptMapCheck(TerminologyService terminology) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        CanonicalUrl.Check(run, resource);
        var source = resource["sourceCanonical"u8].AsString() ?? resource["sourceUri"u8].AsString();
        var target = resource["targetCanonical"u8].AsString() ?? resource["targetUri"u8].AsString();
        foreach (var group in resource["group"u8].Items)
        {
            foreach (var element in group["element"u8].Items)
            {
                Check(run, element["code"u8], group["source"u8].AsString(), source);
                foreach (var mapped in element["target"u8].Items)
                {
                    Check(run, mapped["code"u8], group["target"u8].AsString(), target);
                }
            }
        }
    }

    private void Check(ValidationRun run, ResourceNode code, string? system, string? valueSet)
    {
        if (code.AsString() is not { } text || system is null)
        {
            return;
        }

        if (terminology.Store.CodeSystem(system, null) is { IsFragment: false } content && content.Find(text) is null)
        {
            run.Add(ConformanceIssues.UnmappedCode, code, $"The code system {system} has no such code.");
        }
        else if (valueSet is not null && terminology.Knows(valueSet) && terminology.IsMember(valueSet, system, text) == false)
        {
            run.Add(ConformanceIssues.NotInSourceSet, code, $"The code is not in the value set {valueSet}.");
        }
    }
}
