using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Access.Policies;

/// <summary>Paths of one type by the names of JSON members, so that a walk over a document needs no definitions. Not changed once it is made.</summary>
public sealed class FieldTree
{
    private readonly Dictionary<string, FieldTree> _members = new(StringComparer.Ordinal);
    private readonly FhirType? _type;

    private FieldTree(FhirType? type) => _type = type;

    /// <summary>The element with all that is in it.</summary>
    public static FieldTree Whole { get; } = new(null);

    public bool IsWhole => ReferenceEquals(this, Whole);

    /// <summary>Whether what stands here is a value of a data type (Quantity, HumanName), whose parts mean something only together.</summary>
    public bool IsDataType => _type is { Kind: FhirTypeKind.Complex };

    /// <summary>What the paths say of a member, <c>birthDate</c> or <c>_birthDate</c>; null when none goes there.</summary>
    public FieldTree? this[string member] => _members.GetValueOrDefault(member.StartsWith('_') ? member[1..] : member);

    public static FieldTree Of(FhirType type, IEnumerable<FieldPath> paths)
    {
        var root = new FieldTree(type);
        foreach (var path in paths)
        {
            root.Add(path);
        }

        root.Close([]);
        return root;
    }

    private void Add(FieldPath path)
    {
        var node = this;
        foreach (var step in path.Steps)
        {
            if (ReferenceEquals(step, path.Last))
            {
                foreach (var member in step.Members)
                {
                    node._members[member.JsonName] = Whole;
                }

                return;
            }

            var name = step.Members[0].JsonName;
            if (!node._members.TryGetValue(name, out var next))
            {
                node._members[name] = next = new FieldTree(step.Members[0].Type);
            }

            if (next.IsWhole)
            {
                return;
            }

            node = next;
        }
    }

    // Elements that hold themselves (Questionnaire.item.item, QuestionnaireResponse.item.answer.item): what is said of one holds at every depth.
    private void Close(IReadOnlyList<FieldTree> above)
    {
        IReadOnlyList<FieldTree> here = [.. above, this];
        foreach (var member in _type!.Members)
        {
            if (member.Type.Kind != FhirTypeKind.Backbone)
            {
                if (_members.TryGetValue(member.JsonName, out var value) && !value.IsWhole)
                {
                    value.Close([]);
                }
            }
            else if (!_members.TryGetValue(member.JsonName, out var known))
            {
                var next = here.FirstOrDefault(node => ReferenceEquals(node._type, member.Type)) ?? Inside(member.Type, here);
                if (next is not null)
                {
                    _members[member.JsonName] = next;
                }
            }
            else if (!known.IsWhole)
            {
                known.Close(here);
            }
        }
    }

    private static FieldTree? Inside(FhirType type, IReadOnlyList<FieldTree> above)
    {
        // Only what has an element with paths around it can lead back to one.
        if (above.Count < 2)
        {
            return null;
        }

        var node = new FieldTree(type);
        node.Close(above);
        return node._members.Count > 0 ? node : null;
    }
}
