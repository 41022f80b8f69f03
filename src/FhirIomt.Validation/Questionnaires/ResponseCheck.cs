using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>A QuestionnaireResponse against its Questionnaire (FHIR R4 QuestionnaireResponse notes; SDC's extensions for answers).</summary>
internal sealed class ResponseCheck(ProfileCatalog catalog, TerminologyService terminology) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        var canonical = resource["questionnaire"u8];
        if (canonical.AsString() is not { } text)
        {
            run.Add(QuestionnaireIssues.NoForm, resource, "The response names no questionnaire, so its answers were not checked.");
            return;
        }

        var form = text.StartsWith('#') ? scope.Contained(canonical.ContentSpan[1..]) : catalog.Library.Find("Questionnaire", Canonical.Parse(text))?.Tree.Root ?? default;
        if (!form.Exists)
        {
            run.Add(QuestionnaireIssues.NoForm, resource, "The questionnaire is not known here, so the answers were not checked.");
            return;
        }

        new ResponseWalk(run, form, new AnswerCheck(run, terminology, form), scope, catalog.Definitions).Run();
    }
}

/// <summary>Walks a response beside its form.</summary>
internal sealed class ResponseWalk(ValidationRun run, ResourceNode form, AnswerCheck answers, ResourceScope scope, FhirDefinitions definitions)
{
    // The largest published form has some 2,000 items; a hundred conditions over each of them is 200,000.
    private const int MaxLooked = 5_000_000;

    // Expressions may come with the form that is sent: five hundred of 100,000 steps take a few seconds at worst.
    private const int MaxExpressions = 500;
    private static readonly FhirPathLimits ExpressionLimits = FhirPathLimits.Default with { MaxSteps = 100_000, MaxItems = 10_000 };

    private int _expressions;
    private readonly LookBudget _budget = new(MaxLooked);
    private readonly List<ResourceNode> _path = [];

    // An unfinished response may lack answers; those it has must be right.
    private readonly bool _isInProgress = scope.Resource["status"u8].TextEquals("in-progress"u8);

    public void Run() => Items(scope.Resource, FormItem.Read(form));

    private void Items(ResourceNode holder, List<FormItem> items)
    {
        _path.Add(holder);
        var byId = new Dictionary<string, List<ResourceNode>>(StringComparer.Ordinal);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var place = 0; place < items.Count; place++)
        {
            places.TryAdd(items[place].LinkId, place);
        }

        var last = -1;
        foreach (var item in holder["item"u8].Items)
        {
            var linkId = item["linkId"u8].AsString() ?? "";
            if (!places.TryGetValue(linkId, out var index))
            {
                run.Add(QuestionnaireIssues.UnknownItem, holder, $"The questionnaire has no item '{linkId}' here.");
                continue;
            }

            if (index < last)
            {
                run.Add(QuestionnaireIssues.ItemOrder, item, $"The item '{linkId}' stands out of the questionnaire's order.");
            }

            last = Math.Max(last, index);
            (byId.TryGetValue(linkId, out var found) ? found : byId[linkId] = []).Add(item);
        }

        foreach (var item in items)
        {
            Item(holder, item, byId.GetValueOrDefault(item.LinkId) ?? []);
        }

        _path.RemoveAt(_path.Count - 1);
    }

    private void Item(ResourceNode holder, FormItem item, List<ResourceNode> found)
    {
        if (!EnableWhen.IsEnabled(item, _path, Evaluate, _budget))
        {
            foreach (var node in found.Where(HasContent))
            {
                run.Add(QuestionnaireIssues.NotEnabled, node, $"The item '{item.LinkId}' is answered, but not enabled by the other answers.");
            }

            return;
        }

        if (item.IsRequired && found.Count == 0 && !_isInProgress && item.Type != "display")
        {
            run.Add(QuestionnaireIssues.Unanswered, holder, $"The required item '{item.LinkId}' has no answer.");
        }

        if (found.Count > 1 && !(item.Type == "group" && item.Repeats))
        {
            run.Add(QuestionnaireIssues.TooManyItems, found[1], $"The item '{item.LinkId}' stands more than once; only a group that repeats may.");
        }

        foreach (var node in found)
        {
            One(node, item);
        }
    }

    private bool? Evaluate(string expression) =>
        ++_expressions <= MaxExpressions && FhirPathExpression.Compile(expression, definitions).TryGetValue(out var compiled, out _)
        && compiled.TryEvaluate(FhirPathItem.Resource(scope.Resource, definitions), scope.Expressions(resolvesToType: true, ExpressionLimits)).TryGetValue(out var items, out _) ? items is [var answer] ? answer.AsBoolean() : items.Count > 0 : null;

    private static bool HasContent(ResourceNode item) => item["answer"u8].Exists || item["item"u8].Exists;

    private void One(ResourceNode node, FormItem item)
    {
        var text = item.Node["text"u8].AsString();
        if (node["text"u8].AsString() is { } said && text is not null && said != text)
        {
            run.Add(QuestionnaireIssues.OtherText, node, $"The text of the item '{item.LinkId}' is not the questionnaire's.");
        }

        if (item.Type is "group" or "display")
        {
            Group(node, item);
            return;
        }

        Question(node, item);
    }

    private void Group(ResourceNode node, FormItem item)
    {
        if (node["answer"u8].Exists)
        {
            run.Add(QuestionnaireIssues.NoAnswerHere, node, $"The item '{item.LinkId}' is a {item.Type}: it takes no answer.");
        }

        if (item.Type == "display")
        {
            if (node["item"u8].Exists)
            {
                run.Add(QuestionnaireIssues.NoAnswerHere, node, "Items within a display item are not allowed.");
            }

            return;
        }

        if (item.IsRequired && !node["item"u8].Exists && !_isInProgress)
        {
            run.Add(QuestionnaireIssues.Unanswered, node, $"The required group '{item.LinkId}' has no items.");
        }

        Items(node, item.Items);
    }

    private void Question(ResourceNode node, FormItem item)
    {
        if (item.Type == "question" && node["answer"u8].Exists)
        {
            run.Add(QuestionnaireIssues.NoAnswerHere, node, $"The item '{item.LinkId}' is of the abstract type question: it takes no answer.");
            return;
        }

        var given = 0;
        foreach (var answer in node["answer"u8].Items)
        {
            given++;
            answers.Run(answer, item);
            if (item.Items.Count > 0 || answer["item"u8].Exists)
            {
                Items(answer, item.Items);
            }
        }

        if (node["item"u8].Exists)
        {
            run.Add(QuestionnaireIssues.NoAnswerHere, node, $"Items below the question '{item.LinkId}' stand within its answer.");
        }

        HowMany(node, item, given);
        answers.Exclusive(node, item);
    }

    private void HowMany(ResourceNode node, FormItem item, int given)
    {
        if (item.IsRequired && given == 0 && !_isInProgress)
        {
            run.Add(QuestionnaireIssues.Unanswered, node, $"The required item '{item.LinkId}' has no answer.");
        }

        if (given > 1 && !item.Repeats)
        {
            run.Add(QuestionnaireIssues.TooManyAnswers, node, $"The item '{item.LinkId}' takes one answer, found {given}.");
        }

        if (ValueOrder.Number(item.Extension("http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs"u8)) is { } min && given < min && !_isInProgress)
        {
            run.Add(QuestionnaireIssues.TooFewAnswers, node, $"The item '{item.LinkId}' takes at least {min} answers, found {given}.");
        }

        if (ValueOrder.Number(item.Extension("http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs"u8)) is { } max && given > max)
        {
            run.Add(QuestionnaireIssues.TooManyAnswers, node, $"The item '{item.LinkId}' takes at most {max} answers, found {given}.");
        }
    }
}
