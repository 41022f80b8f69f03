using System.Globalization;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>Compiles tokens into nodes by precedence climbing (N1 §6.8 and appendix B).</summary>
internal sealed class Parser
{
    // R4's deepest constraint nests 9 levels; each level costs some hundred bytes of stack.
    private const int MaxNesting = 100;

    // Evaluation follows chains of operators and steps by recursion; R4's longest expression has fewer than 150.
    private const int MaxChain = 1000;

    private readonly string _text;
    private readonly FhirDefinitions _definitions;
    private readonly List<Token> _tokens;
    private int _next;
    private int _nesting;
    private int _chained;

    private readonly IReadOnlyDictionary<string, FhirPathHostFunction>? _functions;
    private readonly bool _definesVariables;

    private Parser(string text, FhirDefinitions definitions, IReadOnlyDictionary<string, FhirPathHostFunction>? functions)
    {
        _text = text;
        _functions = functions;
        _definesVariables = text.Contains("defineVariable", StringComparison.Ordinal);
        _definitions = definitions;
        _tokens = Lexer.Read(text);
    }

    private Token Current => _tokens[_next];

    public static PathNode Parse(string text, FhirDefinitions definitions, IReadOnlyDictionary<string, FhirPathHostFunction>? functions)
    {
        var parser = new Parser(text, definitions, functions);
        var node = parser.Expression(0);
        return parser.Current.Kind == TokenKind.End ? node : throw parser.Error($"'{parser.Current.Text}' is not expected here.");
    }

    private PathNode Expression(int least)
    {
        if (++_nesting > MaxNesting)
        {
            throw Error($"the expression nests deeper than {MaxNesting} levels.");
        }

        var left = Current.Is("-") || Current.Is("+") ? Polarity() : Invocations(Term());
        while (Precedence(Current) is > 0 and var precedence && precedence > least)
        {
            CountLink();
            var symbol = Take();
            left = symbol.Text is "is" or "as" ? TypeNode(symbol.Text, left, TypeSpecifier()) : Operators.Make(symbol.Text, Scoped(left), Scoped(Expression(precedence)));
        }

        _nesting--;
        return left;
    }

    private void CountLink()
    {
        if (++_chained > MaxChain)
        {
            throw Error($"the expression has more than {MaxChain} steps.");
        }
    }

    private static int Precedence(Token token) => token.Kind is not (TokenKind.Symbol or TokenKind.Identifier) ? 0 : token.Text switch
    {
        "implies" => 1,
        "or" or "xor" => 2,
        "and" => 3,
        "in" or "contains" => 4,
        "=" or "~" or "!=" or "!~" => 5,
        "<" or ">" or "<=" or ">=" => 6,
        "|" => 7,
        "is" or "as" => 8,
        "+" or "-" or "&" => 9,
        "*" or "/" or "div" or "mod" => 10,
        _ => 0,
    };

    private PathNode Polarity()
    {
        var sign = Take().Text;
        var operand = Expression(10);
        return sign == "-" ? new NegateNode(operand) : operand;
    }

    private PathNode Invocations(PathNode node)
    {
        while (true)
        {
            CountLink();
            if (Current.Is("."))
            {
                _next++;
                node = Invocation(node);
            }
            else if (Current.Is("["))
            {
                _next++;
                var index = Expression(0);
                Expect("]");
                node = new IndexNode(node, index);
            }
            else
            {
                return node;
            }
        }
    }

    private PathNode Term()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.String:
                return new LiteralNode(FhirPathItem.String(token.Text));
            case TokenKind.Number:
                return Number(token);
            case TokenKind.Date or TokenKind.DateTime or TokenKind.Time:
                return DateLiteral(token);
            case TokenKind.Variable:
                return new VariableNode(token.Text);
            case TokenKind.Identifier when token.Text is "true" or "false":
                return new LiteralNode(FhirPathItem.Boolean(token.Text == "true"));
            case TokenKind.Identifier or TokenKind.QuotedIdentifier:
                _next--;
                return Invocation(source: null);
            case TokenKind.Symbol when token.Text == "(":
                var inner = Expression(0);
                Expect(")");
                return inner;
            case TokenKind.Symbol when token.Text == "{":
                Expect("}");
                return new EmptyNode();
            case TokenKind.Symbol when token.Text == "$this":
                return new ThisNode();
            case TokenKind.Symbol when token.Text == "$index":
                return new ContextIndexNode();
            case TokenKind.Symbol when token.Text == "$total":
                return new TotalNode();
            default:
                _next--;
                throw Error(token.Kind == TokenKind.End ? "the expression ends too early." : $"'{token.Text}' is not expected here.");
        }
    }

    private LiteralNode Number(Token token)
    {
        if (!decimal.TryParse(token.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            throw Error("the number is too large.");
        }

        if (Current.Kind == TokenKind.String)
        {
            return new LiteralNode(FhirPathItem.Of(new FhirPathQuantity(value, Take().Text, IsCalendar: false)));
        }

        if (Current.Kind == TokenKind.Identifier && FhirPathQuantity.CalendarUnit(Current.Text) is { } unit)
        {
            _next++;
            return new LiteralNode(FhirPathItem.Of(new FhirPathQuantity(value, unit, IsCalendar: true)));
        }

        var isInteger = !token.Text.Contains('.', StringComparison.Ordinal) && value <= int.MaxValue;
        return new LiteralNode(isInteger ? FhirPathItem.Integer((int)value) : FhirPathItem.Decimal(value));
    }

    private LiteralNode DateLiteral(Token token)
    {
        var kind = (TemporalKind)(token.Kind - TokenKind.Date);
        return Temporal.TryParse(token.Text, kind, out var value) ? new LiteralNode(FhirPathItem.Of(value)) : throw Error($"'@{token.Text}' is no valid date or time.");
    }

    private PathNode Invocation(PathNode? source)
    {
        var token = Take();
        if (token.Kind == TokenKind.Symbol && source is not null && token.Text is "$this" or "$index" or "$total")
        {
            throw Error($"'{token.Text}' cannot follow a dot.");
        }

        if (token.Kind is not (TokenKind.Identifier or TokenKind.QuotedIdentifier))
        {
            _next--;
            throw Error("a name is expected here.");
        }

        if (!Current.Is("("))
        {
            // A type name at the start of a path stands for the focus when that is of the type (FHIR R4 §2.9.1).
            return source is null && char.IsAsciiLetterUpper(token.Text[0]) && _definitions.Type(token.Text) is { } type
                ? new RootTypeNode(type, new ChildNode(new ThisNode(), token.Text))
                : new ChildNode(source ?? new ThisNode(), token.Text);
        }

        _next++;
        return Call(source ?? new ThisNode(), token);
    }

    private PathNode Call(PathNode source, Token name)
    {
        if (name.Text is "is" or "as" or "ofType")
        {
            var type = TypeSpecifier();
            Expect(")");
            return TypeNode(name.Text, source, type);
        }

        var arguments = new List<PathNode>();
        while (!Current.Is(")"))
        {
            arguments.Add(Scoped(Argument(name.Text)));
            if (!Current.Is(","))
            {
                break;
            }

            _next++;
        }

        Expect(")");
        if (Functions.Find(name.Text) is not { } function)
        {
            if (_functions is not null && _functions.TryGetValue(name.Text, out var host))
            {
                return new HostCallNode(host, source, [.. arguments]);
            }

            throw new SyntaxException(FhirPathIssues.UnknownFunction(_text, name.At, name.Text));
        }

        return arguments.Count >= function.Least && arguments.Count <= function.Most
            ? function.Make(source, [.. arguments])
            : throw new SyntaxException(FhirPathIssues.Arguments(_text, name.At, name.Text));
    }

    // sort(-name) means descending order; a string cannot be negated, so the sign is taken off here.
    private PathNode Argument(string function)
    {
        if (function == "sort" && Current.Is("-"))
        {
            _next++;
            return new DescendingNode(Expression(0));
        }

        var argument = Expression(0);
        if (function == "sort" && Current.Kind == TokenKind.Identifier && Current.Text is "asc" or "desc")
        {
            return Take().Text == "desc" ? new DescendingNode(argument) : argument;
        }

        return argument;
    }

    private TypeSpecifier TypeSpecifier()
    {
        var token = Take();
        if (token.Kind is not (TokenKind.Identifier or TokenKind.QuotedIdentifier))
        {
            _next--;
            throw Error("a type name is expected here.");
        }

        var isQualified = token.Text is "System" or "FHIR" && Current.Is(".");
        if (isQualified)
        {
            _next++;
        }

        var name = isQualified ? Take().Text : token.Text;
        var fhir = isQualified && token.Text == "System" ? null : _definitions.Type(name);
        var system = (isQualified && token.Text == "FHIR") || (fhir is not null && name != "Quantity") ? null : SystemTypes.Find(name);
        return fhir is not null || system is not null || isQualified
            ? new TypeSpecifier(fhir, system)
            : throw new SyntaxException(FhirPathIssues.UnknownType(_text, token.At, name));
    }

    private static PathNode TypeNode(string name, PathNode source, TypeSpecifier type) =>
        name == "is" ? new IsNode(source, type) : new OfTypeNode(source, type, exact: name == "ofType");

    private PathNode Scoped(PathNode node) => _definesVariables && node is not (LiteralNode or DescendingNode) ? new VariableScopeNode(node) : node;

    private Token Take() => _tokens[_next].Kind == TokenKind.End ? _tokens[_next] : _tokens[_next++];

    private void Expect(string symbol)
    {
        if (!Current.Is(symbol))
        {
            throw Error($"'{symbol}' is expected here.");
        }

        _next++;
    }

    private SyntaxException Error(string what) => new(FhirPathIssues.Syntax(_text, Current.At, what));
}
