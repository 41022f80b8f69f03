using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Conformance;

/// <summary>A ValueSet: absolute URLs, codes that exist in their systems, filters that say something (FHIR R4 §4.9.5).</summary>
internal sealed class ValueSetCheck(TerminologyService terminology) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        CanonicalUrl.Check(run, resource);
        foreach (var part in (ResourceNode[])[resource["compose"u8]["include"u8], resource["compose"u8]["exclude"u8]])
        {
            foreach (var include in part.Items)
            {
                Include(run, include);
            }
        }
    }

    private void Include(ValidationRun run, ResourceNode include)
    {
        if (include["system"u8].AsString() is not { } system)
        {
            return;
        }

        if (!BundleScope.IsAbsolute(system))
        {
            run.Add(ConformanceIssues.NotAbsolute, include, "The system of an include is an absolute URL, also for a contained code system.");
            return;
        }

        var content = terminology.Store.CodeSystem(system, include["version"u8].AsString());
        foreach (var concept in include["concept"u8].Items)
        {
            Concept(run, concept, system, content);
        }

        foreach (var filter in include["filter"u8].Items)
        {
            Filter(run, filter, content);
        }
    }

    private void Concept(ValidationRun run, ResourceNode concept, string system, CodeSystemContent? content)
    {
        if (concept["code"u8].AsString() is not { } code)
        {
            return;
        }

        var isWrong = content is not null ? !content.IsFragment && content.Find(code) is null : terminology.Store.External.FormOf(system, code) == CodeForm.Malformed;
        if (isWrong)
        {
            // UCUM's older codes stand in many published sets.
            run.Add(system == ExternalSystem.Ucum ? ConformanceIssues.UnmappedCode : ConformanceIssues.UnknownCode, concept, $"The code system {system} has no such code.");
        }
    }

    private void Filter(ValidationRun run, ResourceNode filter, CodeSystemContent? content)
    {
        if (content is null)
        {
            return;
        }

        ConceptFilter.Compile(content, filter, "", terminology.Store.Limits, out var refusal);
        if (refusal is not null)
        {
            run.Add(ConformanceIssues.BadFilter, filter, "The filter cannot be evaluated in its code system.");
            return;
        }

        if (filter["op"u8].TextEquals("="u8) && TypeOf(content, filter["property"u8].AsString()) == "Coding")
        {
            CodingValue(run, filter);
        }
    }

    private static string? TypeOf(CodeSystemContent content, string? property)
    {
        foreach (var defined in content.Root["property"u8].Items)
        {
            if (defined["code"u8].AsString() == property)
            {
                return defined["type"u8].AsString();
            }
        }

        return null;
    }

    // A property that holds codings is compared with system#code.
    private void CodingValue(ValidationRun run, ResourceNode filter)
    {
        var value = filter["value"u8].AsString() ?? "";
        var hash = value.IndexOf('#');
        if (hash <= 0)
        {
            run.Add(ConformanceIssues.BadFilter, filter, "The property holds codings, so the value is written system#code.");
            return;
        }

        var (system, version) = Canonical.Parse(value[..hash]);
        if (terminology.Store.CodeSystem(system, version) is { IsFragment: false } content && content.Find(value[(hash + 1)..]) is null)
        {
            run.Add(ConformanceIssues.BadFilter, filter, $"The code system {system} has no such code.");
        }
    }
}

/// <summary>The URL of a canonical resource is absolute (FHIR R4 §2.3.0.6).</summary>
internal static class CanonicalUrl
{
    public static void Check(ValidationRun run, ResourceNode resource)
    {
        if (resource["url"u8] is { IsString: true } url && !BundleScope.IsAbsolute(url.AsString()!))
        {
            run.Add(ConformanceIssues.NotAbsolute, url, "A canonical URL is absolute.");
        }
    }
}
