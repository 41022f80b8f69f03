using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>A JMESPath, compiled once. It runs over the rows of a parsed document; only what functions and projections make is new.</summary>
internal sealed class JmesPathExpression : MappingExpression
{
    private readonly JmesNode _root;
    private readonly bool _integerArithmetic;

    private JmesPathExpression(string text, JmesNode root, bool integerArithmetic)
        : base(text)
    {
        _root = root;
        _integerArithmetic = integerArithmetic;
    }

    public override IEnumerable<string[]> RequiredNames => _root.NeededToExist;

    /// <param name="integerArithmetic">Calculate as the connector does (its defect 6).</param>
    public static JmesPathExpression? Parse(string text, out JmesSyntaxException? error, bool integerArithmetic = false)
    {
        error = null;
        try
        {
            return new JmesPathExpression(text, new JmesParser(text).Parse(), integerArithmetic);
        }
        catch (JmesSyntaxException exception)
        {
            error = exception;
            return null;
        }
    }

    public JmesValue Evaluate(JmesValue current, JmesRun run) => _root.Evaluate(current, run);

    // The connector's rule: a projection of several is ambiguous, one of exactly one element is an array (and then no text).
    public override PathFinding SelectOne(in PathScope scope, out ResourceNode node, out string? failure)
    {
        var finding = SelectValue(scope, out var value, out failure);
        node = finding == PathFinding.One ? ToNode(value) : default;
        return finding;
    }

    /// <summary>The same for who needs no document of what was computed.</summary>
    public PathFinding SelectValue(in PathScope scope, out JmesValue value, out string? failure)
    {
        value = EvaluateTokens(scope, out var isProjection, out failure);
        return failure is not null ? PathFinding.Failed
            : value.IsNull || (isProjection && value.Count == 0) ? PathFinding.Nothing
            : isProjection && value.Count > 1 ? PathFinding.Several : PathFinding.One;
    }

    // The connector's rule: each element of a projection is a token; anything else, an array too, is one token.
    public override IReadOnlyList<ResourceNode> SelectAll(in PathScope scope, out string? failure)
    {
        var value = EvaluateTokens(scope, out var isProjection, out failure);
        if (failure is not null || value.IsNull)
        {
            return [];
        }

        if (!isProjection)
        {
            return [ToNode(value)];
        }

        if (value.Count == 0)
        {
            return [];
        }

        var nodes = new ResourceNode[value.Count];
        var next = 0;
        foreach (var item in value.Items)
        {
            nodes[next++] = ToNode(item);
        }

        return nodes;
    }

    private JmesValue EvaluateTokens(in PathScope scope, out bool isProjection, out string? failure)
    {
        var joined = scope.Event ?? (scope.Root == PathScope.EventWithMatch ? new JmesEvent(scope.Tree, scope.Matched) : null);
        var run = joined?.RunFor(_integerArithmetic) ?? new JmesRun(_integerArithmetic);
        var start = joined is null ? JmesValue.Of(scope.NodeAt(scope.Root)) : JmesValue.Of(joined);
        var value = _root.EvaluateTokens(start, run, out isProjection);
        failure = run.Error?.Message;
        return value;
    }

    /// <summary>A value as a node: its place in the document, or a small document of its own when it was computed.</summary>
    public static ResourceNode ToNode(JmesValue value)
    {
        if (value.TryNode(out var node))
        {
            return node;
        }

        var output = new ArrayBufferWriter<byte>(64);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            value.WriteTo(writer);
        }

        return JsonTree.Parse(output.WrittenMemory).Require().Root;
    }
}
