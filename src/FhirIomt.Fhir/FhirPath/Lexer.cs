using System.Globalization;
using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Fhir.FhirPath;

internal enum TokenKind : byte
{
    End,
    Identifier,
    QuotedIdentifier,
    String,
    Number,
    Date,
    DateTime,
    Time,
    Variable,
    Symbol,
}

/// <param name="Text">What it says: quotes and escapes undone, without <c>%</c> or <c>@</c>.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int At)
{
    public bool Is(string symbol) => Kind is TokenKind.Symbol or TokenKind.Identifier && Text == symbol;
}

/// <summary>A refusal while reading an expression; caught by Compile.</summary>
internal sealed class SyntaxException(Issue issue) : Exception(issue.Message)
{
    public Issue Issue { get; } = issue;
}

/// <summary>Splits an expression into tokens (N1 appendix B).</summary>
internal sealed class Lexer(string text)
{
    private int _at;

    public static List<Token> Read(string text)
    {
        var lexer = new Lexer(text);
        var tokens = new List<Token>();
        do
        {
            tokens.Add(lexer.Next());
        }
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    private char Current => _at < text.Length ? text[_at] : '\0';

    private char Following => _at + 1 < text.Length ? text[_at + 1] : '\0';

    private Token Next()
    {
        SkipSpace();
        var start = _at;
        if (_at >= text.Length)
        {
            return new Token(TokenKind.End, "", start);
        }

        return Current switch
        {
            '\'' => new Token(TokenKind.String, Quoted('\''), start),
            '`' => new Token(TokenKind.QuotedIdentifier, Quoted('`'), start),
            '"' => new Token(TokenKind.QuotedIdentifier, Quoted('"'), start),
            '@' => DateOrTime(start),
            '%' => Variable(start),
            '$' => new Token(TokenKind.Symbol, "$" + Word(start + 1), start),
            >= '0' and <= '9' => Number(start),
            _ when char.IsAsciiLetter(Current) || Current == '_' => new Token(TokenKind.Identifier, Word(start), start),
            _ => Symbol(start),
        };
    }

    private void SkipSpace()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(Current))
            {
                _at++;
            }
            else if (Current == '/' && Following == '/')
            {
                var end = text.IndexOfAny(['\n', '\r'], _at);
                _at = end < 0 ? text.Length : end;
            }
            else if (Current == '/' && Following == '*')
            {
                var end = text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                _at = end < 0 ? throw Error(_at, "a comment does not end.") : end + 2;
            }
            else
            {
                return;
            }
        }
    }

    private string Word(int start)
    {
        _at = start;
        while (char.IsAsciiLetterOrDigit(Current) || Current == '_')
        {
            _at++;
        }

        return text[start.._at];
    }

    private Token Variable(int start)
    {
        _at++;
        var name = Current is '`' or '\'' or '"' ? Quoted(Current) : Word(_at);
        return name.Length > 0 ? new Token(TokenKind.Variable, name, start) : throw Error(start, "'%' is followed by no name.");
    }

    private Token Number(int start)
    {
        while (char.IsAsciiDigit(Current))
        {
            _at++;
        }

        if (Current == '.' && char.IsAsciiDigit(Following))
        {
            _at++;
            while (char.IsAsciiDigit(Current))
            {
                _at++;
            }
        }

        return new Token(TokenKind.Number, text[start.._at], start);
    }

    private Token DateOrTime(int start)
    {
        _at++;
        if (Current == 'T')
        {
            var time = ++_at;
            TakeTime();
            return new Token(TokenKind.Time, text[time.._at], start);
        }

        var date = _at;
        Take(IsDigitOrDash);
        if (Current != 'T')
        {
            return new Token(TokenKind.Date, text[date.._at], start);
        }

        _at++;
        TakeTime();
        if (Current == 'Z')
        {
            _at++;
        }
        else if (Current is '+' or '-' && char.IsAsciiDigit(Following))
        {
            _at++;
            Take(IsDigitOrColon);
        }

        return new Token(TokenKind.DateTime, text[date.._at], start);
    }

    private void TakeTime()
    {
        var start = _at;
        Take(IsDigitOrColon);
        if (Current == '.' && char.IsAsciiDigit(Following) && _at - start == 8)
        {
            _at++;
            Take(char.IsAsciiDigit);
        }
    }

    private void Take(Func<char, bool> allowed)
    {
        while (allowed(Current))
        {
            _at++;
        }
    }

    private static bool IsDigitOrDash(char letter) => char.IsAsciiDigit(letter) || letter == '-';

    private static bool IsDigitOrColon(char letter) => char.IsAsciiDigit(letter) || letter == ':';

    private Token Symbol(int start)
    {
        var two = _at + 1 < text.Length ? text.Substring(_at, 2) : "";
        var symbol = two is "<=" or ">=" or "!=" or "!~" ? two : Current.ToString();
        if (symbol.Length == 1 && !"+-*/&|=~<>()[]{}.,".Contains(symbol[0], StringComparison.Ordinal))
        {
            throw Error(start, $"the character '{symbol}' means nothing here.");
        }

        _at += symbol.Length;
        return new Token(TokenKind.Symbol, symbol, start);
    }

    private string Quoted(char quote)
    {
        var start = _at++;
        var value = new StringBuilder();
        while (Current != quote)
        {
            if (_at >= text.Length)
            {
                throw Error(start, "a quote is not closed.");
            }

            if (Current == '\\')
            {
                _at++;
                value.Append(Escape());
            }
            else
            {
                value.Append(text[_at++]);
            }
        }

        _at++;
        return value.ToString();
    }

    private char Escape()
    {
        var letter = Current;
        _at++;
        switch (letter)
        {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'f': return '\f';
            case 'u' when _at + 4 <= text.Length && ushort.TryParse(text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _at += 4;
                return (char)code;
            case '\'' or '"' or '`' or '\\' or '/': return letter;
            // Not in the grammar, yet R4's own constraints hold such regular expressions.
            default:
                _at--;
                return '\\';
        }
    }

    private SyntaxException Error(int at, string what) => new(FhirPathIssues.Syntax(text, at, what));
}
