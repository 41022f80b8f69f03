using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>What a Questionnaire's conditions may ask about (FHIR R4 Questionnaire.item.enableWhen.question).</summary>
internal sealed class FormCheck : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        var order = new List<FormItem>();
        Flatten(FormItem.Read(resource), order);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < order.Count; index++)
        {
            places.TryAdd(order[index].LinkId, index);
        }

        for (var index = 0; index < order.Count; index++)
        {
            foreach (var condition in order[index].Node["enableWhen"u8].Items)
            {
                Check(run, order, places, index, condition["question"u8].AsString() ?? "");
            }
        }
    }

    private static void Flatten(List<FormItem> items, List<FormItem> order)
    {
        foreach (var item in items)
        {
            order.Add(item);
            Flatten(item.Items, order);
        }
    }

    private static void Check(ValidationRun run, List<FormItem> order, Dictionary<string, int> places, int index, string question)
    {
        var item = order[index];
        var target = places.GetValueOrDefault(question, -1);
        if (target < 0)
        {
            run.Add(QuestionnaireIssues.FormRule, item.Node, $"The condition asks about '{question}', which is no item of the questionnaire.");
        }
        else if (target == index || IsWithin(order[target], item))
        {
            run.Add(QuestionnaireIssues.FormRule, item.Node, $"The condition asks about '{question}', which is within the item itself.");
        }
        else if (target > index)
        {
            run.Add(QuestionnaireIssues.FormOrder, item.Node, $"The condition asks about '{question}', which comes after the item.");
        }
    }

    private static bool IsWithin(FormItem inner, FormItem outer)
    {
        for (var item = inner.Parent; item is not null; item = item.Parent)
        {
            if (ReferenceEquals(item, outer))
            {
                return true;
            }
        }

        return false;
    }
}
