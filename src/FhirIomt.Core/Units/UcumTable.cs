using System.Collections.Frozen;

namespace FhirIomt.Core.Units;

/// <summary>UCUM's prefixes and unit symbols, read from the embedded table (made by tools/ucum/compile.py).</summary>
internal sealed class UcumTable
{
    private readonly FrozenDictionary<string, Rational> _prefixes;
    private readonly FrozenDictionary<string, string[]> _rows;
    private readonly Dictionary<string, UcumUnit> _atoms = new(StringComparer.Ordinal);

    private UcumTable(FrozenDictionary<string, Rational> prefixes, FrozenDictionary<string, string[]> rows)
    {
        _prefixes = prefixes;
        _rows = rows;
        foreach (var symbol in rows.Keys)
        {
            Resolve(symbol);
        }
    }

    public static UcumTable Load()
    {
        using var stream = typeof(UcumTable).Assembly.GetManifestResourceStream("ucum.tsv")!;
        using var reader = new StreamReader(stream);
        var prefixes = new Dictionary<string, Rational>(StringComparer.Ordinal);
        var rows = new Dictionary<string, string[]>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            var row = line.Split('\t');
            if (row[0] == "prefix")
            {
                prefixes.Add(row[1], Rational.Parse(row[2])!.Value);
            }
            else if (row[0] != "#")
            {
                rows.Add(row[1], row);
            }
        }

        return new UcumTable(prefixes.ToFrozenDictionary(StringComparer.Ordinal), rows.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>A symbol with or without prefix; null when there is none such. A symbol that stands in the table wins: <c>cd</c> is no hundredth of a day.</summary>
    public UcumUnit? Find(string symbol)
    {
        if (_atoms.TryGetValue(symbol, out var atom))
        {
            return atom;
        }

        // da before d, Ki before K would be no matter: no unit begins so that both could be read.
        for (var length = 1; length <= 2 && length < symbol.Length; length++)
        {
            if (_prefixes.TryGetValue(symbol[..length], out var scale) && _rows.TryGetValue(symbol[length..], out var row) && IsMetric(row))
            {
                return Prefixed(symbol, scale, row);
            }
        }

        return null;
    }

    private static bool IsMetric(string[] row) => row[0] == "base" || row[2].Contains('m', StringComparison.Ordinal);

    private UcumUnit Prefixed(string symbol, Rational scale, string[] row)
    {
        var atom = Resolve(row[1]);
        return row[0] == "special"
            ? UcumUnit.Special(symbol, new SpecialFunction(row[3]), scale, atom.Factor, atom.Dimension)
            : UcumUnit.Proportional(symbol, atom.Factor * scale, atom.Dimension);
    }

    private UcumUnit Resolve(string symbol)
    {
        if (!_atoms.TryGetValue(symbol, out var atom))
        {
            _atoms.Add(symbol, atom = Define(_rows[symbol]));
        }

        return atom;
    }

    private UcumUnit Define(string[] row)
    {
        var isBase = row[0] == "base" || (row[0] == "unit" && row[2].Contains('a', StringComparison.Ordinal) && row[4] == "1");
        if (isBase)
        {
            return UcumUnit.Proportional(row[1], Rational.One, UcumDimension.Of(row[1]));
        }

        var isSpecial = row[0] == "special";
        // Both tangents are of an angle in rad (UCUM §45): the table's degree would only say in which unit the angle is written.
        var definition = isSpecial && row[3] == "100tan" ? "rad" : row[^1];
        var unit = UcumParser.Parse(definition, Lookup).Require();
        var factor = unit.Factor * Rational.Parse(row[^2])!.Value;
        return isSpecial ? UcumUnit.Special(row[1], new SpecialFunction(row[3]), Rational.One, factor, unit.Dimension) : UcumUnit.Proportional(row[1], factor, unit.Dimension);
    }

    // While the table is being read a definition may name symbols that come later.
    private UcumUnit? Lookup(string symbol)
    {
        if (_rows.ContainsKey(symbol))
        {
            return Resolve(symbol);
        }

        return Find(symbol);
    }
}
