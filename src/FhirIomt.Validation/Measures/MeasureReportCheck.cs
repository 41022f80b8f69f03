using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Conformance;

namespace FhirIomt.Validation.Measures;

/// <summary>A MeasureReport against its Measure: groups, populations and stratifiers are those that the Measure defines (FHIR R4 MeasureReport).</summary>
internal sealed class MeasureReportCheck(ProfileCatalog catalog) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        if (resource["measure"u8].AsString() is not { } canonical || catalog.Library.Find("Measure", Canonical.Parse(canonical))?.Tree.Root is not { Exists: true } measure)
        {
            return;
        }

        var isSubjectList = resource["type"u8].TextEquals("subject-list"u8);
        var groups = new Matching(run, measure["group"u8], resource["group"u8], "group");
        foreach (var (report, defined) in groups.Pair(resource))
        {
            Group(run, report, defined, measure, isSubjectList);
        }
    }

    private static void Group(ValidationRun run, ResourceNode report, ResourceNode defined, ResourceNode measure, bool isSubjectList)
    {
        if (report["measureScore"u8].Exists && HasCode(measure["scoring"u8], "cohort"))
        {
            run.Add(ConformanceIssues.MeasureMismatch, report["measureScore"u8], "A cohort measure has no score.");
        }

        foreach (var population in report["population"u8].Items)
        {
            if (population["code"u8].Exists && !Any(defined["population"u8], other => SameCode(other["code"u8], population["code"u8])))
            {
                run.Add(ConformanceIssues.MeasureMismatch, population, "The measure defines no population with this code.");
            }

            if (population["subjectResults"u8].Exists && !isSubjectList)
            {
                run.Add(ConformanceIssues.MeasureMismatch, population, "Only a report of type subject-list lists its subjects.");
            }
        }

        _ = new Matching(run, defined["stratifier"u8], report["stratifier"u8], "stratifier").Pair(report);
    }

    private static bool HasCode(ResourceNode concept, string code) => Any(concept["coding"u8], coding => coding["code"u8].AsString() == code);

    internal static bool SameCode(ResourceNode one, ResourceNode other)
    {
        if (Any(one["coding"u8], coding => Any(other["coding"u8], second => coding["code"u8].AsString() == second["code"u8].AsString() && coding["system"u8].AsString() == second["system"u8].AsString())))
        {
            return true;
        }

        return one["text"u8].AsString() is { } text && text == other["text"u8].AsString();
    }

    internal static bool Any(ResourceNode list, Func<ResourceNode, bool> test)
    {
        foreach (var item in list.Items)
        {
            if (test(item))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Finds for each part of a report the part of the measure that it reports on, by code; a single part needs none.</summary>
internal sealed class Matching(ValidationRun run, ResourceNode defined, ResourceNode reported, string what)
{
    public List<(ResourceNode Report, ResourceNode Defined)> Pair(ResourceNode holder)
    {
        var pairs = new List<(ResourceNode, ResourceNode)>();
        var (definedItems, reportedItems) = (ToList(defined), ToList(reported));
        if (definedItems.Count == 1 && reportedItems.Count == 1 && !(definedItems[0]["code"u8].Exists && reportedItems[0]["code"u8].Exists && !MeasureReportCheck.SameCode(definedItems[0]["code"u8], reportedItems[0]["code"u8])))
        {
            return [(reportedItems[0], definedItems[0])];
        }

        var seen = new HashSet<int>();
        foreach (var item in reportedItems)
        {
            var match = item["code"u8].Exists ? definedItems.FindIndex(other => MeasureReportCheck.SameCode(other["code"u8], item["code"u8])) : -1;
            if (match < 0)
            {
                run.Add(ConformanceIssues.MeasureMismatch, item, $"The {what} has no code that a {what} of the measure has.");
            }
            else
            {
                seen.Add(match);
                pairs.Add((item, definedItems[match]));
            }
        }

        for (var index = 0; index < definedItems.Count; index++)
        {
            if (!seen.Contains(index))
            {
                run.Add(ConformanceIssues.MeasureMismatch, holder, $"The {what} {index + 1} of the measure is not reported.");
            }
        }

        return pairs;
    }

    private static List<ResourceNode> ToList(ResourceNode node)
    {
        var items = new List<ResourceNode>();
        foreach (var item in node.Items)
        {
            items.Add(item);
        }

        return items;
    }
}
