using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.JsonPath.Standard;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Rules;

/// <summary>Where an expression is evaluated.</summary>
internal enum RuleGround
{
    /// <summary><c>$.x</c>: on what the rule matched.</summary>
    Match,

    /// <summary><c>message $.Body.x</c>: on the whole message, with Body, Properties and SystemProperties.</summary>
    Message,

    /// <summary><c>item $.x</c>: on the item of the nearest <c>$each</c>.</summary>
    Item,

    /// <summary><c>item name</c>: what the item's member is called.</summary>
    ItemName,

    /// <summary><c>item index</c>: where the item stands in the rule's list, from 0.</summary>
    ItemIndex,

    /// <summary><c>jmes …</c>: JMESPath on the message, in which <c>matchedToken</c> is the match.</summary>
    Jmes,
}

/// <summary>An expression of a rule: JSONPath of RFC 9535, or JMESPath.</summary>
internal sealed class RuleExpression
{
    private readonly MappingExpression _expression;
    private readonly MemberPath? _members;

    private RuleExpression(RuleGround ground, MappingExpression expression, bool isRequired)
    {
        (Ground, _expression, IsRequired) = (ground, expression, isRequired);
        _members = ground == RuleGround.Jmes ? null : (expression as JsonPathExpression)?.Members;
    }

    public RuleGround Ground { get; }

    /// <summary>Written with a '!' at the end: without it there is no resource.</summary>
    public bool IsRequired { get; }

    public string Text => _expression.Text;

    public MappingExpression Inner => _expression;

    public static RuleExpression? Parse(string text, out string? problem)
    {
        var isRequired = text.EndsWith('!');
        var body = (isRequired ? text[..^1] : text).Trim();
        var (ground, rest) = body switch
        {
            _ when body.StartsWith("message ", StringComparison.Ordinal) => (RuleGround.Message, body["message ".Length..].Trim()),
            "item name" => (RuleGround.ItemName, "$"),
            "item index" => (RuleGround.ItemIndex, "$"),
            _ when body.StartsWith("item ", StringComparison.Ordinal) => (RuleGround.Item, body["item ".Length..].Trim()),
            _ when body.StartsWith("jmes ", StringComparison.Ordinal) => (RuleGround.Jmes, body["jmes ".Length..].Trim()),
            _ => (RuleGround.Match, body),
        };
        if (ground == RuleGround.Jmes)
        {
            var jmes = JmesPathExpression.Parse(rest, out var refusal);
            problem = refusal is null ? null : $"JMESPath '{rest}', character {refusal.Position}: {refusal.Message}";
            return jmes is null ? null : new RuleExpression(ground, jmes, isRequired);
        }

        var path = JsonPathExpression.ParseStandard(rest, out var error);
        problem = error is null ? null : $"JSONPath '{rest}', character {error.Position}: {error.Message}";
        return path is null ? null : new RuleExpression(ground, path, isRequired);
    }

    /// <summary>The one value; null when there is none, or when the run has failed.</summary>
    public JmesValue One(RuleRun run)
    {
        if (Ground is RuleGround.ItemName or RuleGround.ItemIndex)
        {
            return Ground == RuleGround.ItemName ? JmesValue.Of(run.Item.Name) : JmesValue.Of(JmesNumber.Of((decimal)run.ItemIndex));
        }

        // Nine of ten expressions of a mapping name a member: they are answered without a scope of their own.
        if (_members is not null)
        {
            return _members.Find(run.NodeOf(Ground)) is { Exists: true, Kind: not NodeKind.Null } member ? JmesValue.Of(member) : IsRequired ? run.Fail(RuleIssues.Missing(Text)) : JmesValue.Null;
        }

        switch (SelectOne(run.ScopeOf(Ground), out var value, out var failure))
        {
            case PathFinding.One when !value.IsNull:
                return value;
            case PathFinding.Several:
                return run.Fail(RuleIssues.Several(Text));
            case PathFinding.Failed:
                return run.Fail(RuleIssues.NotComputed(Text, failure!));
            default:
                return IsRequired ? run.Fail(RuleIssues.Missing(Text)) : JmesValue.Null;
        }
    }

    private PathFinding SelectOne(in PathScope scope, out JmesValue value, out string? failure)
    {
        if (_expression is JmesPathExpression jmes)
        {
            return jmes.SelectValue(scope, out value, out failure);
        }

        var finding = _expression.SelectOne(scope, out ResourceNode node, out failure);
        value = finding == PathFinding.One ? JmesValue.Of(node) : JmesValue.Null;
        return finding;
    }

    public IReadOnlyList<ResourceNode> All(RuleRun run)
    {
        var found = _expression.SelectAll(run.ScopeOf(Ground), out var failure);
        if (failure is not null)
        {
            run.Fail(RuleIssues.NotComputed(Text, failure));
        }

        return found;
    }
}

/// <summary>A condition: a filter expression of RFC 9535, in which <c>@</c> is the match (or the item).</summary>
internal sealed class RuleCondition
{
    private readonly PathPredicate _predicate;
    private readonly RuleGround _ground;

    private RuleCondition(PathPredicate predicate, RuleGround ground)
    {
        (_predicate, _ground) = (predicate, ground);
    }

    public static RuleCondition? Parse(string text, out string? problem)
    {
        var ground = text.StartsWith("item ", StringComparison.Ordinal) ? RuleGround.Item : RuleGround.Match;
        var body = ground == RuleGround.Item ? text["item ".Length..] : text;
        var parser = new StandardParser(body.Trim());
        var parsed = new StandardFilterParser(parser).TryParse(out var predicate) && (parser.AtEnd || parser.Fail("The condition ends too early."));
        problem = parsed ? null : $"Condition '{body}', character {parser.Error!.Position}: {parser.Error.Message}";
        return parsed ? new RuleCondition(predicate!, ground) : null;
    }

    public bool Holds(RuleRun run)
    {
        var scope = run.ScopeOf(_ground);
        return _predicate.Holds(scope, scope.Root);
    }
}
