namespace FhirIomt.Access.Consents;

/// <summary>What a consent withholds from one caller, as a condition on resources. A closed set; its text is its identity, so that equal refusals of many patients are one.</summary>
public abstract record ConsentCondition
{
    private ConsentCondition()
    {
    }

    public static ConsentCondition True { get; } = new Always();

    public static ConsentCondition False { get; } = new Never();

    public abstract string Text { get; }

    public sealed record Always : ConsentCondition
    {
        public override string Text => "all";
    }

    public sealed record Never : ConsentCondition
    {
        public override string Text => "none";
    }

    public sealed record All(IReadOnlyList<ConsentCondition> Parts) : ConsentCondition
    {
        public override string Text => $"({string.Join(" and ", Parts.Select(part => part.Text))})";
    }

    public sealed record Any(IReadOnlyList<ConsentCondition> Parts) : ConsentCondition
    {
        public override string Text => $"({string.Join(" or ", Parts.Select(part => part.Text))})";
    }

    public sealed record Not(ConsentCondition Inner) : ConsentCondition
    {
        public override string Text => $"not {Inner.Text}";
    }

    public sealed record Labelled(IReadOnlyList<ConsentCode> Labels) : ConsentCondition
    {
        public override string Text => $"label {string.Join(',', Labels)}";
    }

    public sealed record Coded(IReadOnlyList<ConsentCode> Codes) : ConsentCondition
    {
        public override string Text => $"code {string.Join(',', Codes)}";
    }

    public sealed record OfType(IReadOnlyList<string> Types) : ConsentCondition
    {
        public override string Text => $"type {string.Join(',', Types)}";
    }

    public sealed record One(string Type, string Id) : ConsentCondition
    {
        public override string Text => $"{Type}/{Id}";
    }

    public sealed record Doing(ScopeInteractions Interactions) : ConsentCondition
    {
        public override string Text => $"{Interactions}";
    }

    /// <param name="InDoubt">What the time of a resource does not tell: true counts as within.</param>
    public sealed record During(ConsentPeriod Period, bool InDoubt) : ConsentCondition
    {
        public override string Text => $"{(InDoubt ? "perhaps " : "")}during {Period.Start:O}/{Period.End:O}";
    }

    public static ConsentCondition AllOf(params IEnumerable<ConsentCondition> parts)
    {
        var kept = parts.Where(part => part is not Always).ToList();
        return kept.Exists(part => part is Never) ? False : kept switch
        {
            [] => True,
            [var only] => only,
            _ => new All(kept),
        };
    }

    public static ConsentCondition AnyOf(params IEnumerable<ConsentCondition> parts)
    {
        var kept = parts.Where(part => part is not Never).ToList();
        return kept.Exists(part => part is Always) ? True : kept switch
        {
            [] => False,
            [var only] => only,
            _ => new Any(kept),
        };
    }

    public static ConsentCondition NotOf(ConsentCondition inner) => inner switch
    {
        Always => False,
        Never => True,
        Not not => not.Inner,
        _ => new Not(inner),
    };
}
