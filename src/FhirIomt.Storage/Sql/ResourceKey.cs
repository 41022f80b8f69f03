namespace FhirIomt.Storage.Sql;

/// <summary>
/// The surrogate key of one version: 8 bits of resource type, 42 bits of milliseconds since 2020 (139 years), 13 bits to tell apart up to 8,192
/// writes of a millisecond. Key order is time order inside a type, so <c>_lastUpdated</c> needs no index of its own.
/// </summary>
internal static class ResourceKey
{
    private const int SequenceBits = 13;
    private const int TypeShift = 55;
    private static readonly DateTimeOffset Epoch = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The next tick of the store's clock: never behind the last one, whatever the wall clock does.</summary>
    public static long NextTick(long last, DateTimeOffset now) => Math.Max(last + 1, FirstTickOf(now));

    public static long Of(long type, long tick) => (type << TypeShift) | tick;

    /// <summary>The tick alone: comparable over types.</summary>
    public const long TickMask = (1L << TypeShift) - 1;

    /// <summary>The bits from this one on are the type.</summary>
    public const int TypeBit = TypeShift;

    public static long TypeOf(long key) => key >> TypeShift;

    public static DateTimeOffset TimeOf(long key) => Epoch.AddMilliseconds((key & TickMask) >> SequenceBits);

    /// <summary>The smallest tick at or after that time; times outside the range are clamped.</summary>
    public static long FirstTickOf(DateTimeOffset time)
    {
        var milliseconds = Math.Ceiling((time - Epoch).TotalMilliseconds);
        return (long)Math.Clamp(milliseconds, 0, (1L << 42) - 1) << SequenceBits;
    }

    public static long FirstOf(long type) => type << TypeShift;

    public static long LastOf(long type) => ((type + 1) << TypeShift) - 1;
}
