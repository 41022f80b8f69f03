using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>A JMESPath, compiled once. It runs over the rows of a parsed document; only what functions and projections make is new.</summary>
internal sealed class JmesPathExpression
{
    private readonly JmesNode _root;

    private JmesPathExpression(string text, JmesNode root)
    {
        Text = text;
        _root = root;
    }

    public string Text { get; }

    /// <summary>Sets of member names; from each set at least one must stand in the document for the expression to select anything.</summary>
    public IEnumerable<string[]> RequiredNames => _root.NeededToExist;

    public static JmesPathExpression? Parse(string text, out JmesSyntaxException? error)
    {
        error = null;
        try
        {
            return new JmesPathExpression(text, new JmesParser(text).Parse());
        }
        catch (JmesSyntaxException exception)
        {
            error = exception;
            return null;
        }
    }

    public JmesValue Evaluate(JmesValue current, JmesRun run) => _root.Evaluate(current, run);

    /// <summary>The value, and whether each of its elements stands for itself.</summary>
    public JmesValue EvaluateTokens(JmesValue current, JmesRun run, out bool isProjection) => _root.EvaluateTokens(current, run, out isProjection);

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

    public override string ToString() => Text;
}
