using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>ConceptMap/$translate (FHIR R4 §4.10.14.1), forwards and reverse; maps may be written for R4 (equivalence) or R5 (relationship).</summary>
internal sealed class TranslateOperation(TerminologyStore store, OperationInput input)
{
    private const int MaxMatches = 1_000;

    public TerminologyAnswer Run()
    {
        var coding = input.Value("coding").Exists ? input.Value("coding") : input.Value("sourceCoding").Exists ? input.Value("sourceCoding") : input.Value("targetCoding");
        var reverse = input.Flag("reverse") == true || input.Has("targetCode") || input.Has("targetCoding");
        var code = coding["code"u8].AsString() ?? input.Text("code") ?? input.Text("sourceCode") ?? input.Text("targetCode");
        var source = reverse ? input.Text("sourceSystem") : coding["system"u8].AsString() ?? input.Text("system") ?? input.Text("sourceSystem");
        var target = reverse ? coding["system"u8].AsString() ?? input.Text("targetSystem") ?? input.Text("system") : input.Text("targetSystem") ?? input.Text("targetsystem");
        if (code is null || (reverse ? target : source) is null)
        {
            return AnswerWriter.Refusal(TxIssues.BadRequest("name the code and its system, or give a coding"));
        }

        var matches = new List<Match>();
        foreach (var map in Maps())
        {
            Collect(map, code, source, target, reverse, matches);
        }

        return AnswerWriter.Parameters(writer => Write(writer, matches, reverse));
    }

    private IEnumerable<ResourceNode> Maps()
    {
        var given = input.Resources("conceptMap").ToList();
        if (given.Count > 0)
        {
            return given;
        }

        return (input.Text("url") is { } url
            ? store.Definitions.Find("ConceptMap", Canonical.Parse(url)) is { } named ? [named] : []
            : store.Definitions.All("ConceptMap")).Select(definition => definition.Tree.Root);
    }

    private static void Collect(ResourceNode map, string code, string? source, string? target, bool reverse, List<Match> matches)
    {
        var canonical = map["url"u8].AsString() is { } url ? new Canonical(url, map["version"u8].AsString()).ToString() : null;
        foreach (var group in map["group"u8].Items)
        {
            if ((source is not null && group["source"u8].AsString() != source) || (target is not null && group["target"u8].AsString() != target))
            {
                continue;
            }

            foreach (var element in group["element"u8].Items)
            {
                AddElement(group, element, canonical, code, reverse, matches);
            }
        }
    }

    private static void AddElement(ResourceNode group, ResourceNode element, string? map, string code, bool reverse, List<Match> matches)
    {
        var from = element["code"u8].AsString();
        if (from is null || (!reverse && from != code))
        {
            return;
        }

        foreach (var target in element["target"u8].Items)
        {
            if (matches.Count < MaxMatches && target["code"u8].AsString() is { } to && (!reverse || to == code))
            {
                matches.Add(new Match(group["source"u8].AsString(), from, group["target"u8].AsString(), to, target["display"u8].AsString(), Equivalence(target), map));
            }
        }
    }

    // R5 names relationships; R4 equivalences. Seen from the target, as R4 does.
    private static string Equivalence(ResourceNode target) => target["equivalence"u8].AsString() ?? target["relationship"u8].AsString() switch
    {
        "equivalent" => "equivalent",
        "source-is-narrower-than-target" => "wider",
        "source-is-broader-than-target" => "narrower",
        "not-related-to" => "unmatched",
        _ => "relatedto",
    };

    private static void Write(Utf8JsonWriter writer, List<Match> matches, bool reverse)
    {
        var related = matches.Exists(match => match.Equivalence is not ("unmatched" or "disjoint"));
        AnswerWriter.WriteParameter(writer, "result", related);
        if (!related)
        {
            AnswerWriter.WriteParameter(writer, "message", "valueString", "No translation was found");
        }

        foreach (var match in matches)
        {
            AnswerWriter.WriteGroup(writer, "match", () =>
            {
                AnswerWriter.WriteParameter(writer, "equivalence", "valueCode", match.Equivalence);
                WriteCoding(writer, "concept", match.TargetSystem, match.TargetCode, match.Display);
                if (reverse)
                {
                    WriteCoding(writer, "source", match.SourceSystem, match.SourceCode, null);
                }

                AnswerWriter.WriteParameter(writer, "originMap", "valueCanonical", match.Map);
            });
        }
    }

    private static void WriteCoding(Utf8JsonWriter writer, string name, string? system, string code, string? display)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteStartObject("valueCoding"u8);
        if (system is not null)
        {
            writer.WriteString("system"u8, system);
        }

        writer.WriteString("code"u8, code);
        if (display is not null)
        {
            writer.WriteString("display"u8, display);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private readonly record struct Match(string? SourceSystem, string SourceCode, string? TargetSystem, string TargetCode, string? Display, string Equivalence, string? Map);
}
