using System.Text.RegularExpressions;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>What stands between <c>[?(</c> and <c>)]</c>.</summary>
internal abstract class PathPredicate
{
    public abstract bool Holds(in PathScope scope, int row);

    /// <summary>
    /// Sets of member names; from each set at least one name must stand in the document for the predicate to hold anywhere. A name may stand for a text that must be a value
    /// (<see cref="Running.TemplateIndex.Text"/>).
    /// </summary>
    public abstract IEnumerable<string[]> RequiredNames { get; }

    /// <summary>Members of the tested row whose texts it asks for.</summary>
    public virtual IEnumerable<string> TextNames => [];

    /// <summary>Whether it holds for rows in which the member of that name has this text (null: no text at all), whatever else stands there; null when that does not decide it.</summary>
    public virtual bool? HoldsFor(string name, string? text) => null;
}

/// <summary><c>@name</c> alone: it is there, even with an explicit null.</summary>
internal sealed class ExistsPredicate(PathOperand operand) : PathPredicate
{
    private readonly MemberPath? _members = MemberPath.Of(operand);

    public override bool? HoldsFor(string name, string? text) => text is not null && _members?.Only == name ? true : null;

    public override IEnumerable<string[]> RequiredNames => operand.RequiredNames;

    public override bool Holds(in PathScope scope, int row)
    {
        if (_members is not null)
        {
            return _members.TryFind(scope, row, out _);
        }

        if (operand.Path is not { } path)
        {
            return true;
        }

        var found = new RowBuffer(stackalloc int[1], limit: 1);
        path.Apply(scope, row, ref found);
        return found.Count > 0;
    }
}

internal sealed class AllPredicate(PathPredicate[] parts) : PathPredicate
{
    public override IEnumerable<string[]> RequiredNames => parts.SelectMany(part => part.RequiredNames);

    public override IEnumerable<string> TextNames => parts.SelectMany(part => part.TextNames);

    public override bool? HoldsFor(string name, string? text)
    {
        bool? all = true;
        foreach (var part in parts)
        {
            // In three values as in two: one that does not hold decides, and one that is not known spoils the rest.
            all &= part.HoldsFor(name, text);
        }

        return all;
    }

    public override bool Holds(in PathScope scope, int row)
    {
        foreach (var part in parts)
        {
            if (!part.Holds(scope, row))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed class AnyPredicate(PathPredicate[] parts) : PathPredicate
{
    public override IEnumerable<string> TextNames => parts.SelectMany(part => part.TextNames);

    public override bool? HoldsFor(string name, string? text)
    {
        bool? any = false;
        foreach (var part in parts)
        {
            any |= part.HoldsFor(name, text);
        }

        return any;
    }

    public override IEnumerable<string[]> RequiredNames
    {
        get
        {
            // One set of each part, joined: whichever part holds, one of these names is there. A part that needs no name spoils it.
            var sets = parts.Select(part => part.RequiredNames.LastOrDefault()).ToArray();
            return sets.Any(set => set is null) ? [] : [[.. sets.SelectMany(set => set!).Distinct(StringComparer.Ordinal)]];
        }
    }

    public override bool Holds(in PathScope scope, int row)
    {
        foreach (var part in parts)
        {
            if (part.Holds(scope, row))
            {
                return true;
            }
        }

        return false;
    }
}

internal enum PathOperator
{
    Equal,
    NotEqual,

    /// <summary><c>!==</c>, which differs in one thing: an object or array stands in no relation to anything.</summary>
    StrictNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Holds when any value on the left stands in the relation to any value on the right.</summary>
internal sealed class ComparePredicate(PathOperand left, PathOperator relation, PathOperand right) : PathPredicate
{
    public override IEnumerable<string[]> RequiredNames => left.RequiredNames.Concat(right.RequiredNames);

    public override bool Holds(in PathScope scope, int row)
    {
        var lefts = new RowBuffer(stackalloc int[4], int.MaxValue);
        var rights = new RowBuffer(stackalloc int[4], int.MaxValue);
        var leftCount = left.Select(scope, row, ref lefts);
        var rightCount = right.Select(scope, row, ref rights);
        var holds = false;
        for (var i = 0; i < leftCount && !holds; i++)
        {
            var leftValue = left.ValueOf(scope, lefts, i);
            for (var j = 0; j < rightCount && !holds; j++)
            {
                holds = PathValue.Compare(leftValue, relation, right.ValueOf(scope, rights, j));
            }
        }

        lefts.Dispose();
        rights.Dispose();
        return holds;
    }
}

/// <summary><c>=~ /pattern/i</c> on strings. A pattern that takes too long on a value does not match it.</summary>
internal sealed class RegexPredicate(PathOperand operand, Regex pattern) : PathPredicate
{
    /// <summary>Device texts are short: a match takes microseconds, so this long means a pattern that backtracks without end.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(50);

    public override IEnumerable<string[]> RequiredNames => operand.RequiredNames;

    public override bool Holds(in PathScope scope, int row)
    {
        var found = new RowBuffer(stackalloc int[4], int.MaxValue);
        var count = operand.Select(scope, row, ref found);
        var holds = false;
        for (var i = 0; i < count && !holds; i++)
        {
            holds = operand.ValueOf(scope, found, i).AsString() is { } text && IsMatch(text);
        }

        found.Dispose();
        return holds;
    }

    private bool IsMatch(string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }
}

/// <summary>One side of a comparison: a path from the tested row (<c>@</c>) or the root (<c>$</c>), the tested row itself, or a constant.</summary>
internal sealed class PathOperand
{
    private readonly PathConstant? _constant;

    private PathOperand(PathStep? path, PathConstant? constant)
    {
        Path = path;
        _constant = constant;
    }

    public PathStep? Path { get; }

    public bool IsConstant => _constant is not null;

    public IEnumerable<string[]> RequiredNames
    {
        get
        {
            for (var step = Path; step is not null; step = step.Next)
            {
                foreach (var names in step.RequiredNames)
                {
                    yield return names;
                }
            }
        }
    }

    public static PathOperand Of(PathStep? path) => new(path, null);

    public static PathOperand Of(PathConstant constant) => new(null, constant);

    public int Select(in PathScope scope, int row, ref RowBuffer found)
    {
        if (_constant is not null)
        {
            return 1;
        }

        if (Path is null)
        {
            found.Add(row);
        }
        else
        {
            Path.Apply(scope, row, ref found);
        }

        return found.Count;
    }

    public PathValue ValueOf(in PathScope scope, in RowBuffer found, int index) =>
        _constant is not null ? PathValue.Of(_constant) : PathValue.Of(scope.NodeAt(found[index]));
}
