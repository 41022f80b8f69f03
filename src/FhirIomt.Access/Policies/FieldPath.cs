using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Access.Policies;

/// <summary>
/// The way from a resource type to one of its elements, as a policy writes it: <c>telecom</c>, <c>contact.telecom</c>, <c>Patient.contact.telecom</c>,
/// <c>value[x]</c> for all types of a choice and <c>component.valueQuantity</c> for one. Lists are passed through.
/// </summary>
public sealed class FieldPath
{
    private FieldPath(string text, IReadOnlyList<FieldStep> steps)
    {
        Text = text;
        Steps = steps;
    }

    /// <summary>Without the type in front.</summary>
    public string Text { get; }

    public IReadOnlyList<FieldStep> Steps { get; }

    public FieldStep Last => Steps[^1];

    /// <summary>The path, or null when the type has no such element or the way to it is not one: through a choice without its type, through a resource, or twice through an element that holds itself.</summary>
    public static FieldPath? Parse(FhirType type, string text)
    {
        var path = text.StartsWith(type.Name + ".", StringComparison.Ordinal) ? text[(type.Name.Length + 1)..] : text;
        var names = path.Split('.');
        var steps = new List<FieldStep>();
        var passed = new List<FhirType>();
        var current = type;
        foreach (var name in names)
        {
            if (steps.Count > 0 && (steps[^1].Members is not [var member] || !MayPass(current = member.Type, passed)))
            {
                return null;
            }

            if (StepOf(current, name) is not { } step)
            {
                return null;
            }

            passed.Add(current);
            steps.Add(step);
        }

        return new FieldPath(path, steps);
    }

    public override string ToString() => Text;

    // item.text of a Questionnaire means the items at every depth, so item.item.text would be a second name for the same.
    private static bool MayPass(FhirType type, List<FhirType> passed) =>
        type.Kind is FhirTypeKind.Complex or FhirTypeKind.Backbone && !(type.Kind == FhirTypeKind.Backbone && passed.Contains(type));

    private static FieldStep? StepOf(FhirType type, string name)
    {
        var isChoice = name.EndsWith("[x]", StringComparison.Ordinal);
        if (type.Element(isChoice ? name[..^3] : name) is { } element)
        {
            return isChoice && !element.IsChoice ? null : new FieldStep(element, element.Members);
        }

        return !isChoice && type.Find(name) is { } member ? new FieldStep(member.Element, [member]) : null;
    }
}

/// <param name="Members">The forms that are meant, by their JSON names: of a choice one or all.</param>
public sealed record FieldStep(FhirElement Element, IReadOnlyList<FhirMember> Members)
{
    /// <summary>Whether a word of an expression names it: the element, or one of its forms.</summary>
    public bool IsNamed(ReadOnlySpan<char> word)
    {
        if (word.SequenceEqual(Element.Name))
        {
            return true;
        }

        foreach (var member in Members)
        {
            if (word.SequenceEqual(member.JsonName))
            {
                return true;
            }
        }

        return false;
    }
}
