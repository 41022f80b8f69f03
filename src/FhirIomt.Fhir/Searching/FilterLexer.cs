using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>The words of a <c>_filter</c> (R4 search_filter): names, operators, strings in quotes, brackets.</summary>
internal sealed class FilterLexer(string text)
{
    public int Position { get; private set; }

    public bool AtEnd
    {
        get
        {
            SkipBlanks();
            return Position == text.Length;
        }
    }

    public FilterLexer Copy() => new(text) { Position = Position };

    public void MoveTo(FilterLexer other) => Position = other.Position;

    public Issue Refuse(string message) => SearchIssues.BadFilter(message, Position + 1);

    /// <summary>Takes the character when it comes next.</summary>
    public bool Take(char expected)
    {
        SkipBlanks();
        if (Position == text.Length || text[Position] != expected)
        {
            return false;
        }

        Position++;
        return true;
    }

    /// <summary>Takes the word when it comes next and ends there.</summary>
    public bool TakeWord(string word)
    {
        SkipBlanks();
        var end = Position + word.Length;
        if (!text.AsSpan(Position).StartsWith(word, StringComparison.Ordinal) || (end < text.Length && IsNameCharacter(text[end])))
        {
            return false;
        }

        Position = end;
        return true;
    }

    /// <summary>A parameter name; a colon may add the type that a reference leads to. Empty when none comes.</summary>
    public string Name() => While(character => IsNameCharacter(character) || character == ':');

    /// <summary>What stands until a blank or a closing bracket.</summary>
    public string Token() => While(character => character is not (')' or ']') && !char.IsWhiteSpace(character));

    /// <summary>A JSON string, when a quote comes next.</summary>
    public Outcome<string> String()
    {
        var from = Position++;
        var value = new StringBuilder();
        while (Position < text.Length)
        {
            var character = text[Position++];
            if (character == '"')
            {
                return value.ToString();
            }

            if (character == '\\' && !Escape(value))
            {
                return Refuse("an escape that JSON does not know");
            }

            if (character != '\\')
            {
                value.Append(character);
            }
        }

        Position = from;
        return Refuse("the string has no end");
    }

    public bool IsAtQuote()
    {
        SkipBlanks();
        return Position < text.Length && text[Position] == '"';
    }

    private bool Escape(StringBuilder value)
    {
        var character = Position < text.Length ? text[Position++] : '\0';
        if (character == 'u' && Position + 4 <= text.Length && ushort.TryParse(text.AsSpan(Position, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code))
        {
            Position += 4;
            value.Append((char)code);
            return true;
        }

        var index = "\"\\/bfnrt".IndexOf(character, StringComparison.Ordinal);
        if (index >= 0)
        {
            value.Append("\"\\/\b\f\n\r\t"[index]);
        }

        return index >= 0;
    }

    private string While(Func<char, bool> belongs)
    {
        SkipBlanks();
        var from = Position;
        while (Position < text.Length && belongs(text[Position]))
        {
            Position++;
        }

        return text[from..Position];
    }

    private void SkipBlanks()
    {
        while (Position < text.Length && char.IsWhiteSpace(text[Position]))
        {
            Position++;
        }
    }

    private static bool IsNameCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '-';
}
