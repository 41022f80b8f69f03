using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>How much may be looked at before the rest is left undecided: a form may be sent with its answers, and each condition reads all of them.</summary>
internal sealed class LookBudget(int items)
{
    private int _left = items;

    public bool IsSpent => _left <= 0;

    public void Spend() => _left--;
}

/// <summary>Whether an item of a form is asked, given the answers so far (FHIR R4 Questionnaire.item.enableWhen).</summary>
internal static class EnableWhen
{
    /// <param name="path">The response items that hold the item, outermost first; the response itself is the first.</param>
    /// <param name="evaluate">FHIRPath over the response: null when it gives no boolean.</param>
    public static bool IsEnabled(FormItem item, IReadOnlyList<ResourceNode> path, Func<string, bool?> evaluate, LookBudget budget)
    {
        if (item.Extension("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression"u8) is { IsObject: true } expression
            && expression["language"u8].TextEquals("text/fhirpath"u8) && expression["expression"u8].AsString() is { } text)
        {
            return evaluate(text) ?? true;
        }

        var conditions = item.Node["enableWhen"u8];
        if (!conditions.Exists || budget.IsSpent)
        {
            return true;
        }

        var all = item.Node["enableBehavior"u8].TextEquals("all"u8);
        foreach (var condition in conditions.Items)
        {
            if (Holds(condition, path, budget) != all)
            {
                return !all;
            }
        }

        return all;
    }

    private static bool Holds(ResourceNode condition, IReadOnlyList<ResourceNode> path, LookBudget budget)
    {
        var question = condition["question"u8].AsString() ?? "";
        var expected = FormItem.Value(condition, "answer"u8);
        var operation = condition["operator"u8].AsString() ?? "";
        var answers = AnswersTo(question, path, budget);
        if (operation == "exists")
        {
            return answers.Count > 0 == FormItem.IsTrue(expected);
        }

        foreach (var answer in answers)
        {
            if (Compares(answer, operation, expected))
            {
                return true;
            }
        }

        return false;
    }

    // The nearest item with that link id: a repeated group asks about its own repetition first.
    private static List<ResourceNode> AnswersTo(string question, IReadOnlyList<ResourceNode> path, LookBudget budget)
    {
        var answers = new List<ResourceNode>();
        for (var index = path.Count - 1; index >= 0 && answers.Count == 0; index--)
        {
            Collect(path[index], question, answers, budget);
        }

        return answers;
    }

    private static void Collect(ResourceNode holder, string question, List<ResourceNode> answers, LookBudget budget)
    {
        foreach (var item in holder["item"u8].Items)
        {
            budget.Spend();
            if (budget.IsSpent)
            {
                return;
            }

            if (item["linkId"u8].AsString() == question)
            {
                foreach (var answer in item["answer"u8].Items)
                {
                    if (FormItem.Value(answer, "value"u8) is { Exists: true } value)
                    {
                        answers.Add(value);
                    }
                }
            }

            Collect(item, question, answers, budget);
            foreach (var answer in item["answer"u8].Items)
            {
                Collect(answer, question, answers, budget);
            }
        }
    }

    private static bool Compares(ResourceNode answer, string operation, ResourceNode expected) => operation switch
    {
        "=" => AreEqual(answer, expected),
        "!=" => !AreEqual(answer, expected),
        _ => ValueOrder.Compare(answer, expected) is { } order && operation switch
        {
            ">" => order > 0,
            "<" => order < 0,
            ">=" => order >= 0,
            "<=" => order <= 0,
            _ => false,
        },
    };

    private static bool AreEqual(ResourceNode answer, ResourceNode expected)
    {
        if (answer["code"u8].Exists || expected["code"u8].Exists)
        {
            return answer["code"u8].AsString() == expected["code"u8].AsString() && answer["system"u8].AsString() == expected["system"u8].AsString();
        }

        return ValueOrder.Compare(answer, expected) is { } order ? order == 0 : JsonEquality.AreEqual(answer, expected);
    }
}
