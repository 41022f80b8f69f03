namespace FhirIomt.Mapping.JmesPath;

/// <summary>Why a value could not be computed.</summary>
/// <param name="Kind">The specification's name: invalid-type or invalid-value.</param>
internal sealed record JmesError(string Kind, string Message);

/// <summary>What one evaluation carries along: the first error, the scopes of <c>let</c>, and how to calculate.</summary>
internal sealed class JmesRun(bool integerArithmetic)
{
    private List<JmesValue>? _scopes;

    /// <summary>Calculate as the connector does: whole numbers in 64 bits that wrap and truncate, others as doubles.</summary>
    public bool IntegerArithmetic => integerArithmetic;

    /// <summary>What went wrong first; null when nothing did.</summary>
    public JmesError? Error { get; private set; }

    /// <summary>Keeps the first error; the value of what failed is null.</summary>
    public JmesValue Fail(string kind, string message)
    {
        Error ??= new JmesError(kind, message);
        return JmesValue.Null;
    }

    /// <summary>Makes it ready for another expression.</summary>
    public void Forget() => Error = null;

    public void Enter(JmesValue scope) => (_scopes ??= []).Add(scope);

    public void Leave() => _scopes!.RemoveAt(_scopes.Count - 1);

    /// <summary>A name that the current value does not have, looked up in the scopes of <c>let</c>, innermost first.</summary>
    public JmesValue LookUp(JmesName name)
    {
        for (var i = (_scopes?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (_scopes![i].Member(name) is { IsNull: false } found)
            {
                return found;
            }
        }

        return JmesValue.Null;
    }
}

/// <summary>An expression, or a part of one.</summary>
internal abstract class JmesNode
{
    public abstract JmesValue Evaluate(JmesValue current, JmesRun run);

    /// <summary>Whether the result is a projection: then each element stands for itself where tokens are selected.</summary>
    public virtual bool IsProjection => false;

    /// <summary>As <see cref="Evaluate"/>, and whether this time the result is a projection.</summary>
    public virtual JmesValue EvaluateTokens(JmesValue current, JmesRun run, out bool isProjection)
    {
        isProjection = IsProjection;
        return Evaluate(current, run);
    }

    /// <summary>Sets of member names: unless from each set one stands in the document, the result is null or an empty projection.</summary>
    public virtual IEnumerable<string[]> NeededToExist => [];

    /// <summary>The same for the result to be true.</summary>
    public virtual IEnumerable<string[]> NeededToBeTrue => NeededToExist;

    /// <summary>Whether null in gives null out.</summary>
    public virtual bool KeepsNull => false;
}

internal sealed class CurrentNode : JmesNode
{
    public static readonly CurrentNode Instance = new();

    public override bool KeepsNull => true;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => current;
}

internal sealed class LiteralNode(JmesValue value) : JmesNode
{
    public JmesValue Value => value;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => value;
}

internal sealed class FieldNode(JmesName name) : JmesNode
{
    public override IEnumerable<string[]> NeededToExist => [[name.Text]];

    public override bool KeepsNull => true;

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var member = current.Member(name);
        return member.IsNull ? run.LookUp(name) : member;
    }
}

/// <summary><c>left.right</c></summary>
internal sealed class ChainNode(JmesNode left, JmesNode right) : JmesNode
{
    public override bool IsProjection => right.IsProjection;

    public override bool KeepsNull => left.KeepsNull && right.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => right.KeepsNull ? left.NeededToExist.Concat(right.NeededToExist) : right.NeededToExist;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => right.Evaluate(left.Evaluate(current, run), run);
}

/// <summary><c>left | right</c>: like a chain, but it ends the projections on its left.</summary>
internal sealed class PipeNode(JmesNode left, JmesNode right) : JmesNode
{
    public override bool IsProjection => right.IsProjection;

    public override bool KeepsNull => left.KeepsNull && right.KeepsNull;

    public override IEnumerable<string[]> NeededToExist =>
        right is IndexNode ? left.NeededToExist : right.KeepsNull && !left.IsProjection ? left.NeededToExist.Concat(right.NeededToExist) : right.NeededToExist;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => right.Evaluate(left.Evaluate(current, run), run);
}

/// <summary><c>(expression)</c> also ends a projection.</summary>
internal sealed class GroupNode(JmesNode inner) : JmesNode
{
    public override bool KeepsNull => inner.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => inner.IsProjection ? [] : inner.NeededToExist;

    public override IEnumerable<string[]> NeededToBeTrue => inner.NeededToBeTrue;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => inner.Evaluate(current, run);
}

internal sealed class OrNode(JmesNode left, JmesNode right) : JmesNode
{
    public override IEnumerable<string[]> NeededToExist => Either(left.NeededToBeTrue, right.NeededToExist);

    public override IEnumerable<string[]> NeededToBeTrue => Either(left.NeededToBeTrue, right.NeededToBeTrue);

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => EvaluateTokens(current, run, out _);

    public override JmesValue EvaluateTokens(JmesValue current, JmesRun run, out bool isProjection)
    {
        var value = left.EvaluateTokens(current, run, out isProjection);
        return value.IsTruthy ? value : right.EvaluateTokens(current, run, out isProjection);
    }

    // One set of each side, joined. A side that needs no name spoils it.
    private static IEnumerable<string[]> Either(IEnumerable<string[]> left, IEnumerable<string[]> right) =>
        left.LastOrDefault() is { } first && right.LastOrDefault() is { } second ? [[.. first.Union(second, StringComparer.Ordinal)]] : [];
}

internal sealed class AndNode(JmesNode left, JmesNode right) : JmesNode
{
    // A false left side is a result too, so the right one need not be there.
    public override IEnumerable<string[]> NeededToExist => left.NeededToExist;

    public override IEnumerable<string[]> NeededToBeTrue => left.NeededToBeTrue.Concat(right.NeededToBeTrue);

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => EvaluateTokens(current, run, out _);

    public override JmesValue EvaluateTokens(JmesValue current, JmesRun run, out bool isProjection)
    {
        var value = left.EvaluateTokens(current, run, out isProjection);
        return value.IsTruthy ? right.EvaluateTokens(current, run, out isProjection) : value;
    }
}

internal sealed class NotNode(JmesNode inner) : JmesNode
{
    public override JmesValue Evaluate(JmesValue current, JmesRun run) => JmesValue.Of(!inner.Evaluate(current, run).IsTruthy);
}

/// <summary>Order relations hold between numbers only; anything else gives null.</summary>
internal sealed class CompareNode(JmesNode left, JmesToken relation, JmesNode right) : JmesNode
{
    public override IEnumerable<string[]> NeededToBeTrue => relation switch
    {
        JmesToken.NotEqual => [],
        JmesToken.Equal => left is LiteralNode { Value.IsNull: false } ? right.NeededToExist : right is LiteralNode { Value.IsNull: false } ? left.NeededToExist : [],
        _ => left.NeededToExist.Concat(right.NeededToExist),
    };

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var (a, b) = (left.Evaluate(current, run), right.Evaluate(current, run));
        if (relation is JmesToken.Equal or JmesToken.NotEqual)
        {
            return JmesValue.Of(JmesComparison.Same(a, b) == (relation == JmesToken.Equal));
        }

        if (a.Kind != JmesKind.Number || b.Kind != JmesKind.Number)
        {
            return JmesValue.Null;
        }

        var order = a.AsNumber().OrderTo(b.AsNumber());
        return JmesValue.Of(relation switch
        {
            JmesToken.Less => order < 0,
            JmesToken.LessOrEqual => order <= 0,
            JmesToken.Greater => order > 0,
            _ => order >= 0,
        });
    }
}

internal sealed class IndexNode(JmesNode source, int index) : JmesNode
{
    public override bool KeepsNull => source.KeepsNull;

    public override IEnumerable<string[]> NeededToExist => source.NeededToExist;

    public override JmesValue Evaluate(JmesValue current, JmesRun run) => source.Evaluate(current, run).At(index);
}

/// <summary><c>[a, b]</c>: an array of the results; null stays null.</summary>
internal sealed class MultiSelectListNode(JmesNode[] parts) : JmesNode
{
    public override bool KeepsNull => true;

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        if (current.IsNull)
        {
            return JmesValue.Null;
        }

        var list = new JmesList(parts.Length);
        foreach (var part in parts)
        {
            list.Add(part.Evaluate(current, run));
        }

        return JmesValue.Of(list);
    }
}

/// <summary><c>{name: a}</c>: an object of the results; null stays null.</summary>
internal sealed class MultiSelectHashNode((string Name, JmesNode Value)[] parts) : JmesNode
{
    public override bool KeepsNull => true;

    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        if (current.IsNull)
        {
            return JmesValue.Null;
        }

        var members = new JmesMembers();
        foreach (var (name, value) in parts)
        {
            members.Set(name, value.Evaluate(current, run));
        }

        return JmesValue.Of(members);
    }
}

internal sealed class ReferenceNode(JmesNode inner) : JmesNode
{
    public override JmesValue Evaluate(JmesValue current, JmesRun run) => JmesValue.Of(inner);
}

internal sealed class CallNode(JmesFunction function, JmesNode[] arguments) : JmesNode
{
    public override JmesValue Evaluate(JmesValue current, JmesRun run)
    {
        var values = new JmesValue[arguments.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = arguments[i].Evaluate(current, run);
            if (!function.Accepts(i, values[i]))
            {
                return run.Fail("invalid-type", $"Argument {i + 1} of '{function.Name}' is {JmesFunctions.NameOf(values[i].Kind)}, and must be {function.Expected(i)}.");
            }
        }

        return function.Call(new JmesCall(values, current, run, function.Name));
    }
}
