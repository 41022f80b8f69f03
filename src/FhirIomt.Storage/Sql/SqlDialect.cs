namespace FhirIomt.Storage.Sql;

/// <summary>
/// What engines say differently. All other SQL is written once and keeps to what every engine takes: truth is <c>(1=1)</c>, a query in FROM has a name, a comparison
/// is never a value, texts compare byte by byte (the schema says so where an engine would not), and a row comparison has question marks on one side only.
/// </summary>
internal abstract class SqlDialect
{
    /// <summary>A join that reads the left side first, for engines whose planner would otherwise turn it round.</summary>
    public abstract string OrderedJoin { get; }

    /// <summary>A join with a query that may use the rows before it; null for an engine that has none.</summary>
    public virtual string? Apply => null;

    /// <summary>A statement costs no round trip.</summary>
    public virtual bool IsInProcess => false;

    /// <summary>Inserts a row unless there is one with its key; the values are question marks in the order of the columns.</summary>
    public abstract string InsertOrIgnore(string table, string columns);

    /// <summary>Whether a text has the one of the next question mark somewhere in it.</summary>
    public abstract string Contains(string column);

    /// <summary>Whether bytes have the text of the next question mark somewhere in them, in UTF-8.</summary>
    public abstract string BytesContain(string column);

    /// <summary>The length of a text in characters.</summary>
    public abstract string Length(string column);

    /// <summary>Whether an indexed text begins with one.</summary>
    public abstract Condition StartsWith(string column, string prefix);

    /// <summary>Whether an indexed text of any length is this one.</summary>
    public abstract Condition EqualTo(string column, string text);

    /// <summary>Whether a number is one of many, which come as one text with commas: as many question marks would not fit a statement.</summary>
    public abstract Condition InNumbers(string column, string numbers);

    /// <summary>The column of <c>full_text</c> that holds the resource's key.</summary>
    public abstract string FullTextKey { get; }

    /// <summary>The resources whose text has those words in that order, one after the other.</summary>
    /// <param name="column"><c>narrative</c> or <c>content</c> of the full text.</param>
    /// <param name="words">As <see cref="SearchText.Words"/> gives them.</param>
    public abstract Condition KeysWithPhrase(string column, string words);

    /// <summary>
    /// The bounds of the texts that start with one: at or after the text itself, before this. U+10FFFF sorts after every character in UTF-8;
    /// U+FFFF would sort before those beyond the first plane.
    /// </summary>
    public static string AfterPrefix(string prefix) => prefix + "\U0010FFFF";
}
