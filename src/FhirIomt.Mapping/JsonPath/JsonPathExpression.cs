using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>Why a path was refused, and at which character (from 1).</summary>
internal sealed record JsonPathError(string Message, int Position);

/// <summary>
/// A JSONPath, compiled once. There are two dialects: that of RFC 9535 for mappings of our own, and the one that the IoMT connector's mappings are
/// written in (that of Newtonsoft.Json 13). It differs from RFC 9535: <c>@name</c> needs no dot, names may hold '-', <c>..[?()]</c> tests the start itself, filters pass over arrays only.
/// </summary>
internal sealed class JsonPathExpression : MappingExpression
{
    private readonly PathStep? _first;
    private readonly MemberPath? _members;

    private JsonPathExpression(string text, PathStep? first)
        : base(text)
    {
        _first = first;
        _members = MemberPath.Of(first);
    }

    /// <summary>Set where it only names members.</summary>
    public MemberPath? Members => _members;

    /// <summary>Conditions of which each holds for some row wherever the path finds something.</summary>
    public IEnumerable<PathPredicate> Filters
    {
        get
        {
            for (var step = _first; step is not null; step = step.Next)
            {
                if (step is Standard.Segment { Selectors: [Standard.FilterSelector filter] })
                {
                    yield return filter.Predicate;
                }
            }
        }
    }

    public override IEnumerable<string[]> RequiredNames => PathOperand.Of(_first).RequiredNames;

    public static JsonPathExpression? Parse(string text, out JsonPathError? error)
    {
        var parser = new JsonPathParser(text);
        return parser.TryParse(out var first, out error) ? new JsonPathExpression(text, first) : null;
    }

    /// <summary>A path of RFC 9535.</summary>
    public static JsonPathExpression? ParseStandard(string text, out JsonPathError? error)
    {
        var parser = new Standard.StandardParser(text);
        var parsed = parser.TryParse(out var first);
        error = parser.Error;
        return parsed ? new JsonPathExpression(text, first) : null;
    }

    public void Select(in PathScope scope, ref RowBuffer found)
    {
        if (_first is null)
        {
            found.Add(scope.Root);
        }
        else
        {
            _first.Apply(scope, scope.Root, ref found);
        }
    }

    public override PathFinding SelectOne(in PathScope scope, out ResourceNode node, out string? failure)
    {
        failure = null;
        if (_members is not null)
        {
            var isFound = _members.TryFind(scope, scope.Root, out var row);
            node = isFound ? scope.NodeAt(row) : default;
            return isFound ? PathFinding.One : PathFinding.Nothing;
        }

        var found = new RowBuffer(stackalloc int[2], limit: 2);
        Select(scope, ref found);
        node = found.Count == 1 ? scope.NodeAt(found[0]) : default;
        return (PathFinding)found.Count;
    }

    public override IReadOnlyList<ResourceNode> SelectAll(in PathScope scope, out string? failure)
    {
        failure = null;
        var found = new RowBuffer(stackalloc int[16], int.MaxValue);
        Select(scope, ref found);
        var nodes = new ResourceNode[found.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = scope.NodeAt(found[i]);
        }

        found.Dispose();
        return nodes;
    }
}
