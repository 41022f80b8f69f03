using System.Globalization;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>
/// Reads an expression by operator precedence. A projection takes everything to its right that binds tighter than a pipe or comparison
/// and applies it to each element.
/// </summary>
internal sealed class JmesParser(string text)
{
    /// <summary>Deep enough for generated expressions (the suite's longest has 104 steps), far from the end of a stack.</summary>
    private const int MaxDepth = 400;

    // How tightly an operator binds to what stands on its left.
    private const int PipeBinds = 1;
    private const int OrBinds = 2;
    private const int AndBinds = 3;
    private const int CompareBinds = 5;
    private const int FlattenBinds = 9;
    private const int ProjectionEnds = 10;
    private const int StarBinds = 20;
    private const int FilterBinds = 21;
    private const int DotBinds = 40;
    private const int NotBinds = 45;
    private const int BracketBinds = 55;

    private readonly JmesLexer _lexer = new(text);
    private int _depth;

    public JmesNode Parse()
    {
        _lexer.Next();
        var expression = Expression(0);
        return _lexer.Token == JmesToken.End ? expression : throw Unexpected();
    }

    private JmesNode Expression(int binding)
    {
        if (++_depth > MaxDepth)
        {
            throw _lexer.Error("The expression is nested too deeply.");
        }

        var left = Start();
        while (BindingOf(_lexer.Token) > binding)
        {
            left = Continue(left);
        }

        _depth--;
        return left;
    }

    private static int BindingOf(JmesToken token) => token switch
    {
        JmesToken.Pipe => PipeBinds,
        JmesToken.Or => OrBinds,
        JmesToken.And => AndBinds,
        JmesToken.Equal or JmesToken.NotEqual or JmesToken.Less or JmesToken.LessOrEqual or JmesToken.Greater or JmesToken.GreaterOrEqual => CompareBinds,
        JmesToken.Flatten => FlattenBinds,
        JmesToken.Filter => FilterBinds,
        JmesToken.Dot => DotBinds,
        JmesToken.OpenBracket => BracketBinds,
        _ => 0,
    };

    private JmesNode Start()
    {
        var token = _lexer.Token;
        switch (token)
        {
            case JmesToken.Name or JmesToken.QuotedName:
                return NameOrCall();
            case JmesToken.Literal:
                return new LiteralNode(TakeValue());
            case JmesToken.Current:
                _lexer.Next();
                return CurrentNode.Instance;
            case JmesToken.Star:
                _lexer.Next();
                return new ValuesProjection(CurrentNode.Instance, Projected(StarBinds));
            case JmesToken.Filter:
                return Filter(CurrentNode.Instance);
            case JmesToken.Flatten:
                _lexer.Next();
                return new ListProjection(new FlattenNode(CurrentNode.Instance), Projected(FlattenBinds));
            case JmesToken.OpenBracket:
                return BracketOrList();
            case JmesToken.OpenBrace:
                return MultiSelectHash();
            case JmesToken.Not:
                _lexer.Next();
                return new NotNode(Expression(NotBinds));
            case JmesToken.Reference:
                throw _lexer.Error("'&' stands only before an argument of a function.");
            case JmesToken.OpenParenthesis:
                _lexer.Next();
                var inner = Expression(0);
                Expect(JmesToken.CloseParenthesis);
                return new GroupNode(inner);
            default:
                throw Unexpected();
        }
    }

    private JmesNode Continue(JmesNode left)
    {
        var token = _lexer.Token;
        switch (token)
        {
            case JmesToken.Dot:
                _lexer.Next();
                return AfterDot(left);
            case JmesToken.OpenBracket:
                return Bracket(left);
            case JmesToken.Filter:
                return Filter(left);
            case JmesToken.Flatten:
                _lexer.Next();
                return new ListProjection(new FlattenNode(left), Projected(FlattenBinds));
            case JmesToken.Pipe:
                _lexer.Next();
                return new PipeNode(left, Expression(PipeBinds));
            case JmesToken.Or:
                _lexer.Next();
                return new OrNode(left, Expression(OrBinds));
            case JmesToken.And:
                _lexer.Next();
                return new AndNode(left, Expression(AndBinds));
            default:
                _lexer.Next();
                return new CompareNode(left, token, Expression(CompareBinds));
        }
    }

    private JmesNode AfterDot(JmesNode left)
    {
        if (_lexer.Token == JmesToken.Star)
        {
            _lexer.Next();
            return new ValuesProjection(left, Projected(StarBinds));
        }

        return new ChainNode(left, DotRight(DotBinds));
    }

    // What may follow a dot: a name, a function, [a, b], {a: b} or *.
    private JmesNode DotRight(int binding)
    {
        switch (_lexer.Token)
        {
            case JmesToken.Name or JmesToken.QuotedName or JmesToken.Star:
                return Expression(binding);
            case JmesToken.OpenBracket:
                _lexer.Next();
                return MultiSelectList();
            case JmesToken.OpenBrace:
                return MultiSelectHash();
            default:
                throw Unexpected();
        }
    }

    private JmesNode Projected(int binding)
    {
        if (BindingOf(_lexer.Token) < ProjectionEnds)
        {
            return CurrentNode.Instance;
        }

        switch (_lexer.Token)
        {
            case JmesToken.OpenBracket or JmesToken.Filter:
                return Expression(binding);
            case JmesToken.Dot:
                _lexer.Next();
                return DotRight(binding);
            default:
                throw Unexpected();
        }
    }

    private JmesNode NameOrCall()
    {
        var (name, quoted, start) = (_lexer.Text, _lexer.Token == JmesToken.QuotedName, _lexer.Start);
        _lexer.Next();
        if (_lexer.Token != JmesToken.OpenParenthesis)
        {
            return new FieldNode(new JmesName(name));
        }

        if (quoted)
        {
            throw _lexer.Error("A function's name stands without quotes.", start);
        }

        _lexer.Next();
        var arguments = new List<JmesNode>();
        while (_lexer.Token != JmesToken.CloseParenthesis)
        {
            arguments.Add(Argument());
            if (_lexer.Token != JmesToken.CloseParenthesis)
            {
                Expect(JmesToken.Comma);
                if (_lexer.Token == JmesToken.CloseParenthesis)
                {
                    throw Unexpected();
                }
            }
        }

        _lexer.Next();
        return Call(name, [.. arguments], start);
    }

    private JmesNode Argument()
    {
        if (_lexer.Token != JmesToken.Reference)
        {
            return Expression(0);
        }

        _lexer.Next();
        return new ReferenceNode(Expression(0));
    }

    private static CallNode Call(string name, JmesNode[] arguments, int start)
    {
        if (!JmesFunctions.All.TryGetValue(name, out var function))
        {
            throw new JmesSyntaxException("unknown-function", $"There is no function '{name}'.", start + 1);
        }

        if (arguments.Length < function.Parameters.Length || (arguments.Length > function.Parameters.Length && !function.IsVariadic))
        {
            throw new JmesSyntaxException("invalid-arity", $"'{name}' takes {(function.IsVariadic ? "at least " : "")}{function.Parameters.Length} arguments, not {arguments.Length}.", start + 1);
        }

        return new CallNode(function, arguments);
    }

    private JmesNode Filter(JmesNode source)
    {
        _lexer.Next();
        var condition = Expression(0);
        Expect(JmesToken.CloseBracket);
        var rest = _lexer.Token == JmesToken.Flatten ? CurrentNode.Instance : Projected(FilterBinds);
        return new FilterProjection(source, condition, rest);
    }

    // At the start of an expression: [0], [1:2], [*] of the current value, or a list of expressions.
    private JmesNode BracketOrList()
    {
        _lexer.Next();
        if (_lexer.Token is JmesToken.Number or JmesToken.Colon)
        {
            return Index(CurrentNode.Instance);
        }

        // [*] is a projection, but [*.a] lists one expression that starts with a star.
        if (_lexer.Token == JmesToken.Star && IsStarBracket())
        {
            return Star(CurrentNode.Instance);
        }

        return MultiSelectList();
    }

    private JmesNode Bracket(JmesNode left)
    {
        _lexer.Next();
        return _lexer.Token switch
        {
            JmesToken.Number or JmesToken.Colon => Index(left),
            JmesToken.Star => Star(left),
            _ => throw _lexer.Error("An index, a slice, '*' or '?' is expected; a list of expressions needs a dot before it."),
        };
    }

    private bool IsStarBracket() => text.AsSpan(_lexer.Start + 1).TrimStart(" \t\r\n").StartsWith(']');

    private ListProjection Star(JmesNode source)
    {
        _lexer.Next();
        Expect(JmesToken.CloseBracket);
        return new ListProjection(source, Projected(StarBinds));
    }

    private JmesNode Index(JmesNode source)
    {
        var parts = new int?[3];
        var part = 0;
        while (_lexer.Token != JmesToken.CloseBracket)
        {
            if (_lexer.Token == JmesToken.Colon)
            {
                part = part < 2 ? part + 1 : throw Unexpected();
            }
            else if (_lexer.Token == JmesToken.Number && parts[part] is null)
            {
                parts[part] = int.TryParse(_lexer.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    ? number
                    : throw _lexer.Error("The number is too large.");
            }
            else
            {
                throw Unexpected();
            }

            _lexer.Next();
        }

        _lexer.Next();
        return part == 0 ? new IndexNode(source, parts[0]!.Value) : new ListProjection(new SliceNode(source, parts[0], parts[1], parts[2]), Projected(StarBinds));
    }

    private MultiSelectListNode MultiSelectList()
    {
        var parts = new List<JmesNode>();
        while (true)
        {
            parts.Add(Expression(0));
            if (_lexer.Token == JmesToken.CloseBracket)
            {
                _lexer.Next();
                return new MultiSelectListNode([.. parts]);
            }

            Expect(JmesToken.Comma);
        }
    }

    private MultiSelectHashNode MultiSelectHash()
    {
        _lexer.Next();
        var parts = new List<(string, JmesNode)>();
        while (true)
        {
            if (_lexer.Token is not (JmesToken.Name or JmesToken.QuotedName))
            {
                throw Unexpected();
            }

            var name = _lexer.Text;
            _lexer.Next();
            Expect(JmesToken.Colon);
            parts.Add((name, Expression(0)));
            if (_lexer.Token == JmesToken.CloseBrace)
            {
                _lexer.Next();
                return new MultiSelectHashNode([.. parts]);
            }

            Expect(JmesToken.Comma);
        }
    }

    private JmesValue TakeValue()
    {
        var value = _lexer.Value;
        _lexer.Next();
        return value;
    }

    private void Expect(JmesToken token)
    {
        if (_lexer.Token != token)
        {
            throw Unexpected();
        }

        _lexer.Next();
    }

    private JmesSyntaxException Unexpected() => _lexer.Token == JmesToken.End
        ? _lexer.Error("The expression ends too early.")
        : _lexer.Error($"Unexpected '{text[_lexer.Start]}'.");
}
