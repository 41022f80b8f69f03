using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath.Standard;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>A path that only names members, as most of a mapping's do: it finds one row or none, so there need be no list of what was found.</summary>
internal sealed class MemberPath
{
    private readonly byte[][] _names;

    private MemberPath(byte[][] names, string? only) => (_names, Only) = (names, only);

    /// <summary>The name, where there is exactly one.</summary>
    public string? Only { get; }

    /// <summary>Null for a path that can find several.</summary>
    public static MemberPath? Of(PathStep? first)
    {
        var names = new List<string>();
        for (var step = first; step is not null; step = step.Next)
        {
            if (NameOf(step) is not { } name)
            {
                return null;
            }

            names.Add(name);
        }

        return new MemberPath([.. names.Select(Encoding.UTF8.GetBytes)], names is [var only] ? only : null);
    }

    /// <summary>The same for one side of a comparison.</summary>
    public static MemberPath? Of(PathOperand operand) => operand.IsConstant ? null : Of(operand.Path);

    public bool TryFind(in PathScope scope, int row, out int found)
    {
        found = row;
        foreach (var name in _names)
        {
            if (!scope.TryMember(found, name, out found))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The same on a document by itself; nothing where there is none.</summary>
    public ResourceNode Find(ResourceNode from)
    {
        foreach (var name in _names)
        {
            var found = from[name];
            if (!found.Exists && !(from.IsObject && from.Tree.HasEscapes && PathScope.At(from.Tree, from.Index).TryMember(from.Index, name, out var row) && (found = from.Tree.NodeAt(row)).Exists))
            {
                return default;
            }

            from = found;
        }

        return from;
    }

    private static string? NameOf(PathStep step) => step switch
    {
        MemberStep member => member.Name,
        Segment { IsSingular: true, Selectors: [NameSelector selector] } => selector.Name,
        _ => null,
    };
}
