using System.Collections.Frozen;
using System.Text.Json;

namespace FhirIomt.Mapping.Measurements;

/// <summary>What the server knows about a quantity that devices measure, by its code of ISO/IEEE 11073-10101 (MDC).</summary>
/// <param name="Mdc">The 32-bit code, in decimal digits.</param>
/// <param name="Name">The reference identifier.</param>
/// <param name="Loinc">The codings that a profile or a search expects beside it.</param>
/// <param name="LoincByUnit">Where LOINC has a code for each unit.</param>
/// <param name="Units">The units in UCUM that make sense; empty when not known.</param>
/// <param name="Profile">The id of the profile that a good reading meets.</param>
/// <param name="Convert">The unit that the profile wants, when devices send others.</param>
/// <param name="Components">Of a group such as a blood pressure: what belongs into it.</param>
/// <param name="ComponentOf">The group it belongs to.</param>
public sealed record KnownCode(
    string Mdc, string Name, IReadOnlyList<string> Loinc, FrozenDictionary<string, string> LoincByUnit, string Category, IReadOnlyList<string> Units, string? Profile, string? Convert,
    IReadOnlyList<string> Components, string? ComponentOf)
{
    /// <summary>Whether a value below zero can be one.</summary>
    public bool IsSigned => Category == "procedure" || Units.Contains("Cel", StringComparer.Ordinal);

    /// <summary>The codings of LOINC that a reading in that unit gets.</summary>
    public IReadOnlyList<string> LoincFor(string? unit) => unit is not null && LoincByUnit.TryGetValue(unit, out var code) ? [code] : Loinc;
}

/// <summary>The values that a body can have: what lies outside is a mistake of the unit or of the device.</summary>
/// <param name="Code">Of LOINC.</param>
/// <param name="Unit">UCUM.</param>
public readonly record struct PlausibleRange(string Code, string Unit, decimal Low, decimal High);

/// <summary>The codes and units of devices: profiles/codes/devices.json.</summary>
public sealed class CodeTable
{
    private static readonly Lazy<CodeTable> Loaded = new(Load);

    private readonly FrozenDictionary<string, KnownCode> _codes;
    private readonly FrozenDictionary<string, KnownCode> _byLoinc;
    private readonly FrozenDictionary<string, CodedConcept> _names;
    private readonly FrozenDictionary<string, string> _units;
    private readonly FrozenDictionary<(string Code, string Unit), PlausibleRange> _plausible;

    private CodeTable(TableFile file)
    {
        _codes = file.Observations.ToFrozenDictionary(code => code.Mdc, code => code.ToKnown(), StringComparer.Ordinal);

        // The first that has it: the plain one stands before its variants.
        _byLoinc = _codes.Values.Select(code => (code, Order: file.Observations.FindIndex(entry => entry.Mdc == code.Mdc))).OrderBy(pair => pair.Order)
            .SelectMany(pair => pair.code.Loinc.Concat(pair.code.LoincByUnit.Values).Select(loinc => (loinc, pair.code))).DistinctBy(pair => pair.loinc, StringComparer.Ordinal).ToFrozenDictionary(pair => pair.loinc, pair => pair.code, StringComparer.Ordinal);
        _names = file.Observations.Select(code => (code.Mdc, code.Refid)).Concat(file.Names.Select(name => (name.Mdc, name.Refid))).ToFrozenDictionary(name => name.Mdc, name => new CodedConcept(CodedConcept.Mdc, name.Mdc, name.Refid), StringComparer.Ordinal);

        // A sender may name a unit by its number or by its reference identifier.
        _units = file.Units.SelectMany(unit => new[] { (Key: unit.Mdc, unit.Ucum), (Key: unit.Refid, unit.Ucum) }).ToFrozenDictionary(unit => unit.Key, unit => unit.Ucum, StringComparer.Ordinal);
        _plausible = file.Plausible.ToFrozenDictionary(range => (range.Code, range.Unit));
    }

    public static CodeTable Standard => Loaded.Value;

    public IEnumerable<KnownCode> Codes => _codes.Values;

    public IEnumerable<PlausibleRange> Ranges => _plausible.Values;

    public KnownCode? Find(string mdc) => _codes.GetValueOrDefault(mdc);

    /// <summary>What is known about a code of MDC, or of LOINC where one of ours means it.</summary>
    public KnownCode? Find(CodedConcept code) => code.System switch
    {
        CodedConcept.Mdc => Find(code.Code),
        CodedConcept.Loinc => _byLoinc.GetValueOrDefault(code.Code),
        _ => null,
    };

    /// <summary>The reference identifier of a code; null when it is not in the table.</summary>
    public string? NameOf(string mdc) => _names.TryGetValue(mdc, out var known) ? known.Display : null;

    /// <summary>A code of MDC with its reference identifier, if it is in the table.</summary>
    public bool TryMdc(ReadOnlySpan<char> mdc, out CodedConcept concept) => _names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(mdc, out concept);

    /// <summary>UCUM for a unit of MDC, by number or reference identifier; null when it is not in the table.</summary>
    public string? UcumOf(ReadOnlySpan<char> mdcUnit) => _units.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(mdcUnit, out var unit) ? unit : null;

    public PlausibleRange? RangeOf(string loinc, string ucum) => _plausible.TryGetValue((loinc, ucum), out var range) ? range : null;

    private static CodeTable Load()
    {
        using var stream = typeof(CodeTable).Assembly.GetManifestResourceStream("codes/devices.json")!;
        return new CodeTable(JsonSerializer.Deserialize<TableFile>(stream, JsonSerializerOptions.Web)!);
    }

    private sealed record TableFile(List<Entry> Observations, List<Name> Names, List<Unit> Units, List<PlausibleRange> Plausible);

    private sealed record Entry(
        string Mdc, string Refid, List<string>? Loinc, Dictionary<string, string>? LoincByUnit, string Category, List<string>? Units, string? Profile, string? Convert, List<string>? Components, string? ComponentOf)
    {
        public KnownCode ToKnown() => new(
            Mdc, Refid, Loinc ?? [], (LoincByUnit ?? []).ToFrozenDictionary(StringComparer.Ordinal), Category, Units ?? [], Profile, Convert, Components ?? [], ComponentOf);
    }

    private sealed record Name(string Mdc, string Refid);

    private sealed record Unit(string Mdc, string Refid, string Ucum);
}
