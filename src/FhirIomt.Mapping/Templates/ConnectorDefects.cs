namespace FhirIomt.Mapping.Templates;

/// <summary>
/// Ways of the IoMT connector that are mended by default and that a device mapping can ask for again, by name, in its root member
/// <c>connectorDefects</c>. Each is described in docs/medtech-differences.md under its number.
/// </summary>
[Flags]
internal enum ConnectorDefects
{
    None = 0,

    /// <summary>2: readings of one second share one Observation; the later one wins and the period grows.</summary>
    SameSecondOverwrites = 1 << 2,

    /// <summary>3: commas in numbers are thousands separators, so "78,5" is 785.</summary>
    CommasIgnored = 1 << 3,

    /// <summary>4: a later reading of the same slot takes its place, and an earlier batch of a correlation moves the whole grid.</summary>
    SlotsOverwritten = 1 << 4,

    /// <summary>5: SampledData takes any text, and a window is one Observation however long.</summary>
    SamplesUnchecked = 1 << 5,

    /// <summary>6: whole numbers are divided and multiplied in 64 bits, which truncates and wraps; others may become NaN or Infinity.</summary>
    IntegerArithmetic = 1 << 6,

    /// <summary>7: times without zone are UTC (the connector: its server's zone), dates alone and with slashes are guessed.</summary>
    GuessedTimes = 1 << 7,

    /// <summary>8: numbers go through double, and texts that look like ISO times are rewritten.</summary>
    RewrittenTexts = 1 << 8,

    /// <summary>9: the first reading that fails ends the message.</summary>
    FirstErrorEndsMessage = 1 << 9,

    /// <summary>10: a value that was absent at first cannot be added.</summary>
    AbsentStaysAbsent = 1 << 10,

    /// <summary>11: of several values in a window without SampledData the last batch's wins, and two in one batch fail.</summary>
    WindowKeepsLast = 1 << 11,

    /// <summary>16: what is wrong in a mapping's expressions and periods fails with each message in place of the load.</summary>
    ErrorsAtRunTime = 1 << 16,
}

internal static class ConnectorDefectNames
{
    public static IReadOnlyDictionary<string, ConnectorDefects> All { get; } = Enum.GetValues<ConnectorDefects>().Where(defect => defect != ConnectorDefects.None)
        .ToDictionary(defect => char.ToLowerInvariant(defect.ToString()[0]) + defect.ToString()[1..], StringComparer.OrdinalIgnoreCase);
}
