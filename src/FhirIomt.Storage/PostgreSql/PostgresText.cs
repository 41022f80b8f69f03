using System.Text;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>Texts as PostgreSQL takes them.</summary>
internal static class PostgresText
{
    /// <summary>Characters of a text that its index holds: 600 of at most 4 bytes stay below the 2,704 that a row of a B-tree may have.</summary>
    public const int HeadLength = 600;

    public static string HeadOf(string column) => $"left({column}, 600)";

    /// <summary>As <c>left(text, 600)</c>: PostgreSQL counts code points.</summary>
    public static string Head(string text)
    {
        if (text.Length <= HeadLength)
        {
            return text;
        }

        var (at, points) = (0, 0);
        for (; at < text.Length && points < HeadLength; points++)
        {
            at += char.IsSurrogatePair(text, at) ? 2 : 1;
        }

        return text[..at];
    }

    /// <summary>
    /// A text without what PostgreSQL cannot hold: U+0000 and halves of surrogate pairs, which JSON can escape, become U+FFFD; stored and searched for alike.
    /// </summary>
    public static string Clean(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\0' || char.IsSurrogate(text[index]))
            {
                return Replaced(text);
            }
        }

        return text;
    }

    /// <summary>Question marks as <c>$1</c>, <c>$2</c>…; the statements have none inside their texts.</summary>
    public static string Numbered(string sql)
    {
        var numbered = new StringBuilder(sql.Length + 16);
        var next = 0;
        foreach (var character in sql)
        {
            if (character == '?')
            {
                numbered.Append('$').Append(++next);
            }
            else
            {
                numbered.Append(character);
            }
        }

        return numbered.ToString();
    }

    private static string Replaced(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // EnumerateRunes answers U+FFFD for half a pair.
            clean.Append(rune.Value == 0 ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }
}
