using System.Collections.Frozen;
using System.Globalization;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>Our table of device codes (ISO/IEEE 11073-10101): not the whole nomenclature, so that an absent code is no wrong one.</summary>
internal static class MdcCodes
{
    private static readonly Lazy<FrozenDictionary<int, string>> Table = new(Read);

    /// <summary>The reference id (<c>MDC_PULS_OXIM_SAT_O2</c>) of a code; null when the table lacks it.</summary>
    public static string? ReferenceId(string code) =>
        int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Table.Value.GetValueOrDefault(number) : null;

    private static FrozenDictionary<int, string> Read()
    {
        using var stream = typeof(MdcCodes).Assembly.GetManifestResourceStream("terminology/mdc-codes.txt")!;
        using var reader = new StreamReader(stream);
        var table = new Dictionary<int, string>();
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#') && line.IndexOf('\t') is > 0 and var tab)
            {
                table[int.Parse(line.AsSpan(0, tab), CultureInfo.InvariantCulture)] = line[(tab + 1)..];
            }
        }

        return table.ToFrozenDictionary();
    }
}
