using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JmesPath;

internal enum JmesToken
{
    End,
    Name,
    QuotedName,
    Literal,
    Number,
    Dot,
    Star,
    Comma,
    Colon,
    Current,
    Not,
    Or,
    Pipe,
    And,
    Reference,
    OpenParenthesis,
    CloseParenthesis,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,

    /// <summary><c>[?</c></summary>
    Filter,

    /// <summary><c>[]</c></summary>
    Flatten,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Why an expression was refused, and at which character (from 1).</summary>
internal sealed class JmesSyntaxException(string kind, string message, int position) : Exception(message)
{
    /// <summary>The specification's name of the error: syntax, invalid-arity or unknown-function.</summary>
    public string Kind => kind;

    public int Position => position;
}

/// <summary>Cuts an expression into tokens. Internal exceptions end at <see cref="JmesPathExpression.Parse"/>.</summary>
internal sealed class JmesLexer(string text)
{
    private int _at;

    public JmesToken Token { get; private set; }

    /// <summary>Name, text or digits of the token.</summary>
    public string Text { get; private set; } = "";

    /// <summary>The value of a literal.</summary>
    public JmesValue Value { get; private set; }

    /// <summary>Where the token starts, from 0.</summary>
    public int Start { get; private set; }

    public JmesSyntaxException Error(string message, int? at = null) => new("syntax", message, (at ?? Start) + 1);

    public void Next()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }

        Start = _at;
        Token = _at >= text.Length ? JmesToken.End : Read(text[_at]);
    }

    private JmesToken Read(char c)
    {
        if (char.IsAsciiLetter(c) || c == '_')
        {
            return Take(JmesToken.Name, static next => char.IsAsciiLetterOrDigit(next) || next == '_');
        }

        if (char.IsAsciiDigit(c) || c == '-')
        {
            var token = Take(JmesToken.Number, char.IsAsciiDigit);
            return Text == "-" ? throw Error("Digits are expected after '-'.") : token;
        }

        return c switch
        {
            '"' => QuotedName(),
            '\'' => RawText(),
            '`' => JsonLiteral(),
            _ => Sign(c),
        };
    }

    private JmesToken Sign(char c)
    {
        var pair = c switch
        {
            '[' when Follows('?') => JmesToken.Filter,
            '[' when Follows(']') => JmesToken.Flatten,
            '|' when Follows('|') => JmesToken.Or,
            '&' when Follows('&') => JmesToken.And,
            '=' when Follows('=') => JmesToken.Equal,
            '!' when Follows('=') => JmesToken.NotEqual,
            '<' when Follows('=') => JmesToken.LessOrEqual,
            '>' when Follows('=') => JmesToken.GreaterOrEqual,
            _ => JmesToken.End,
        };
        if (pair != JmesToken.End)
        {
            _at += 2;
            return pair;
        }

        _at++;
        return c switch
        {
            '.' => JmesToken.Dot,
            '*' => JmesToken.Star,
            ',' => JmesToken.Comma,
            ':' => JmesToken.Colon,
            '@' => JmesToken.Current,
            '!' => JmesToken.Not,
            '|' => JmesToken.Pipe,
            '&' => JmesToken.Reference,
            '(' => JmesToken.OpenParenthesis,
            ')' => JmesToken.CloseParenthesis,
            '{' => JmesToken.OpenBrace,
            '}' => JmesToken.CloseBrace,
            '[' => JmesToken.OpenBracket,
            ']' => JmesToken.CloseBracket,
            '<' => JmesToken.Less,
            '>' => JmesToken.Greater,
            _ => throw Error($"Unexpected '{c}'."),
        };
    }

    private bool Follows(char c) => _at + 1 < text.Length && text[_at + 1] == c;

    private JmesToken Take(JmesToken token, Func<char, bool> goesOn)
    {
        do
        {
            _at++;
        }
        while (_at < text.Length && goesOn(text[_at]));
        Text = text[Start.._at];
        return token;
    }

    private JmesToken QuotedName()
    {
        var raw = Delimited('"');
        try
        {
            Text = JsonSerializer.Deserialize<string>("\"" + raw + "\"")!;
        }
        catch (JsonException exception)
        {
            throw Error("The quoted name is not a JSON string: " + exception.Message);
        }

        return Text.Length == 0 && raw.Length > 0 ? throw Error("The quoted name is empty.") : JmesToken.QuotedName;
    }

    // In raw text a backslash means something only before a quote.
    private JmesToken RawText()
    {
        Value = JmesValue.Of(Delimited('\'').Replace("\\'", "'", StringComparison.Ordinal));
        return JmesToken.Literal;
    }

    private JmesToken JsonLiteral()
    {
        var json = Delimited('`').Replace("\\`", "`", StringComparison.Ordinal).Trim();
        if (!JsonTree.Parse(Encoding.UTF8.GetBytes(json)).TryGetValue(out var tree, out var issues))
        {
            throw Error($"The literal is not JSON: {issues[0].Message} Texts stand in quotes: `\"text\"` or 'text'.");
        }

        Value = JmesValue.Of(tree.Root);
        return JmesToken.Literal;
    }

    private string Delimited(char delimiter)
    {
        for (var end = _at + 1; end < text.Length; end++)
        {
            if (text[end] == '\\')
            {
                end++;
            }
            else if (text[end] == delimiter)
            {
                var inside = text[(_at + 1)..end];
                _at = end + 1;
                return inside;
            }
        }

        throw Error($"The closing {delimiter} is missing.");
    }
}
