using FhirIomt.Storage.PostgreSql;

namespace FhirIomt.Storage.Sql.Checking;

/// <summary>
/// A row of an index as 64 bits. The rows of a resource are added up, so that their order does not matter and the whole index is two numbers for each resource,
/// whatever its size. Not a defence: it finds what broke, not what somebody forged.
/// </summary>
internal struct RowHash(string table)
{
    private const ulong Prime = 0x9E3779B97F4A7C15;

    private ulong _state = Of(table);

    public readonly ulong Value => Mix(_state);

    public RowHash Add(long value)
    {
        _state = Mix(_state ^ (ulong)value) * Prime;
        return this;
    }

    public RowHash Add(long? value) => value is { } known ? Add(1).Add(known) : Add(0);

    // 0.0 and -0.0 are one value to an index.
    public RowHash Add(double value) => Add(BitConverter.DoubleToInt64Bits(value + 0.0));

    public RowHash Add(double? value) => value is { } known ? Add(1).Add(known) : Add(0);

    public RowHash Add(string? value) => value is null ? Add(0) : Add((long)Of(PostgresText.Clean(value)));

    private static ulong Of(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        return hash;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
