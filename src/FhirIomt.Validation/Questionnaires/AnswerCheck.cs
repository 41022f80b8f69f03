using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>One answer against its question: type, options, limits.</summary>
internal sealed class AnswerCheck(ValidationRun run, TerminologyService terminology, ResourceNode form)
{
    // Patterns come with a questionnaire, that is from outside.
    private static readonly TimeSpan RegexTimeout = TimeSpan.FromMilliseconds(200);

    public void Run(ResourceNode answer, FormItem item)
    {
        var value = FormItem.Value(answer, "value"u8);
        if (!value.Exists)
        {
            return;
        }

        var type = FormItem.ValueType(value);
        var allowed = AllowedTypes(item);
        if (!allowed.Contains(type, StringComparer.Ordinal) && item.Type == "choice" && item.Node["answerOption"u8].Exists)
        {
            run.Add(QuestionnaireIssues.NotAnOption, answer, $"The item '{item.LinkId}' offers no answer of type {type}.");
            return;
        }

        if (!allowed.Contains(type, StringComparer.Ordinal))
        {
            run.Add(QuestionnaireIssues.OtherType, value, $"The item '{item.LinkId}' is answered by {string.Join(" or ", allowed)}, not by {type}.");
            return;
        }

        Options(answer, value, type, item);
        new AnswerLimits(run, item, RegexTimeout).Check(answer, value, type);
    }

    /// <summary>An option that excludes others is the only answer (extension questionnaire-optionExclusive).</summary>
    public void Exclusive(ResourceNode node, FormItem item)
    {
        if (node["answer"u8].Count < 2)
        {
            return;
        }

        foreach (var answer in node["answer"u8].Items)
        {
            var value = FormItem.Value(answer, "value"u8);
            foreach (var option in item.Node["answerOption"u8].Items)
            {
                if (FormItem.IsTrue(FormItem.Extension(option, "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"u8)) && IsOption(value, FormItem.Value(option, "value"u8)))
                {
                    run.Add(QuestionnaireIssues.NotAnOption, answer, "This answer excludes all others.");
                }
            }
        }
    }

    private static string[] AllowedTypes(FormItem item) => item.Type switch
    {
        "boolean" => ["Boolean"],
        "decimal" => ["Decimal"],
        "integer" => ["Integer"],
        "date" => ["Date"],
        "dateTime" => ["DateTime"],
        "time" => ["Time"],
        "string" or "text" => ["String"],
        "url" => ["Uri"],
        "attachment" => ["Attachment"],
        "reference" => ["Reference"],
        "quantity" => ["Quantity"],
        "choice" => ["Coding", .. OptionTypes(item)],
        "open-choice" => ["Coding", "String", .. OptionTypes(item)],
        _ => ["Coding", "String"],
    };

    private static IEnumerable<string> OptionTypes(FormItem item)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        foreach (var option in item.Node["answerOption"u8].Items)
        {
            types.Add(FormItem.ValueType(FormItem.Value(option, "value"u8)));
        }

        types.Remove("Coding");
        return types;
    }

    private void Options(ResourceNode answer, ResourceNode value, string type, FormItem item)
    {
        var isOpen = item.Type == "open-choice" && type == "String";
        if (isOpen)
        {
            return;
        }

        if (item.Node["answerOption"u8].Exists)
        {
            AmongOptions(answer, value, type, item);
        }
        else if (item.Node["answerValueSet"u8].AsString() is { } valueSet)
        {
            InSet(answer, value, type, valueSet);
        }
    }

    private void AmongOptions(ResourceNode answer, ResourceNode value, string type, FormItem item)
    {
        var sameType = 0;
        foreach (var option in item.Node["answerOption"u8].Items)
        {
            var offered = FormItem.Value(option, "value"u8);
            sameType += FormItem.ValueType(offered) == type ? 1 : 0;
            if (IsOption(value, offered))
            {
                return;
            }
        }

        if (sameType == 0)
        {
            run.Add(QuestionnaireIssues.NotAnOption, answer, $"The item '{item.LinkId}' offers no answer of type {type}.");
        }
        else
        {
            run.Add(QuestionnaireIssues.NotAnOption, type == "Coding" ? answer : value, $"The answer is not among those that the item '{item.LinkId}' offers.");
        }
    }

    private static bool IsOption(ResourceNode value, ResourceNode option) =>
        value.IsObject && value["code"u8].Exists
            ? value["code"u8].AsString() == option["code"u8].AsString() && value["system"u8].AsString() == option["system"u8].AsString()
            : ValueOrder.Compare(value, option) == 0 || Invariants.JsonEquality.AreEqual(value, option);

    private void InSet(ResourceNode answer, ResourceNode value, string type, string valueSet)
    {
        var asked = type == "Coding" ? value["code"u8].AsString() ?? "" : value.AsText() ?? "";
        bool? holds;
        if (valueSet.StartsWith('#'))
        {
            holds = Contained(valueSet[1..])?.ContainsCode(asked);
        }
        else if (!terminology.Knows(valueSet))
        {
            run.Add(QuestionnaireIssues.OptionsUnknown, answer, "The value set of the answers is not known here.");
            return;
        }
        else
        {
            holds = terminology.Validate(valueSet, type == "Coding" ? value["system"u8].AsString() : null, asked).IsMember;
        }

        if (holds == false)
        {
            run.Add(QuestionnaireIssues.NotAnOption, type == "Coding" ? answer : value, $"The answer is not in the value set {valueSet}.");
        }
    }

    private CodeSet? Contained(string id)
    {
        foreach (var contained in form["contained"u8].Items)
        {
            if (contained["id"u8].AsString() == id)
            {
                return CodeSet.FromResource(JsonTree.Parse(contained.Raw).Require());
            }
        }

        return null;
    }
}
