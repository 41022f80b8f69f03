using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>An OBX with what it inherits from the OBR before it and from the containment tree around it (IHE DEC, PCD-01).</summary>
internal sealed class Hl7Observation
{
    // An attribute of the communication and not of the patient: partition 1 holds both, of which batteries are measured.
    private const int FirstAttribute = 67_000;
    private const int LastAttribute = 69_999;

    public Hl7Observation(Hl7Segment obx, Hl7Segment obr)
    {
        var path = obx[4].Text;
        while (path.EndsWith(".0", StringComparison.Ordinal))
        {
            path = path[..^2];
        }

        (Obx, Obr, Path) = (obx, obr, path);
        (Code, Value, Type, Status) = (obx[3], obx[5], Usual(obx[2]), Usual(obx[11]));
        Depth = path.Length == 0 ? 0 : path.AsSpan().Count('.') + 1;
        Top = Depth < 2 ? path : TopOf(path);
        Device = obx[18].Component(3).TextOrNull ?? obx[18].Component(1).TextOrNull;
        IsContainment = Type.Length == 0 && Value.IsEmpty;
        IsAttribute = int.TryParse(Code.Component(1).Raw, System.Globalization.NumberStyles.None, null, out var code) && code is >= FirstAttribute and <= LastAttribute;
    }

    public Hl7Segment Obx { get; }

    public Hl7Segment Obr { get; }

    /// <summary>OBX-4 without the zeros at its end that mark its level: MDS, VMD, channel, metric, facet.</summary>
    public string Path { get; }

    public Hl7Value Code { get; }

    public Hl7Value Value { get; }

    public string Type { get; }

    public string Status { get; }

    /// <summary>How deep it stands: 1 MDS, 2 VMD, 3 channel, 4 metric, 5 a facet of a metric.</summary>
    public int Depth { get; }

    public string Top { get; }

    public string Parent => Path.LastIndexOf('.') is > 0 and var dot ? Path[..dot] : "";

    /// <summary>OBX-18, by its universal id where it has one.</summary>
    public string? Device { get; }

    /// <summary>Only says what contains what.</summary>
    public bool IsContainment { get; }

    /// <summary>About the device or the message, not about a patient.</summary>
    public bool IsAttribute { get; }

    public CodedConcept? Concept() => ConceptOf(Code, 1) is { } first && first.Code != "0" ? first : ConceptOf(Code, 4);

    /// <summary>The other coding, where the sender gave two.</summary>
    public CodedConcept? Translation() => Code.Components > 3 && ConceptOf(Code, 1) is { } first && first.Code != "0" ? ConceptOf(Code, 4) : null;

    /// <summary>A coding of three components; MDC is known by its name, or by a number with a reference identifier.</summary>
    public static CodedConcept? ConceptOf(Hl7Value coded, int first)
    {
        if (coded.IsEmpty)
        {
            return null;
        }

        var (codeValue, textValue, systemValue) = (coded.Component(first), coded.Component(first + 1), coded.Component(first + 2));
        if (codeValue.IsEmpty)
        {
            return null;
        }

        // What is in the table needs no texts of its own: a monitor says the same few codes all day.
        if (systemValue.Raw is "MDC" && CodeTable.Standard.TryMdc(codeValue.Raw.Trim(), out var known))
        {
            return known;
        }

        var (code, text, system) = (codeValue.Text, textValue.TextOrNull, systemValue.Text);
        if (system is "MDC" or "ISO+" or "11073" || (system.Length == 0 && text?.StartsWith("MDC_", StringComparison.Ordinal) == true))
        {
            return new CodedConcept(CodedConcept.Mdc, code, CodeTable.Standard.NameOf(code) ?? text);
        }

        var uri = system.ToUpperInvariant() switch
        {
            "LN" => CodedConcept.Loinc,
            "SCT" or "SNM" or "SNOMED-CT" or "SNOMED" => "http://snomed.info/sct",
            "" => "",
            _ => "https://fhiriomt.org/systems/hl7v2/" + Uri.EscapeDataString(system),
        };
        return new CodedConcept(uri, code, text);
    }

    /// <summary>The unit in UCUM, and what the sender calls it.</summary>
    public (string? Ucum, string? Text) Unit()
    {
        var unit = Obx[6];
        if (unit.IsEmpty)
        {
            return (null, null);
        }

        foreach (var first in (ReadOnlySpan<int>)[1, 4])
        {
            var codeValue = unit.Component(first);
            if (CodeTable.Standard.UcumOf(codeValue.Raw.Trim()) is { } number)
            {
                return (number, null);
            }

            var (code, text, system) = (codeValue.Text, unit.Component(first + 1).Text, unit.Component(first + 2).Text);
            if (system.Equals("UCUM", StringComparison.OrdinalIgnoreCase) && IsUcum(code))
            {
                return (code, null);
            }

            if ((CodeTable.Standard.UcumOf(code) ?? CodeTable.Standard.UcumOf(text)) is { } known)
            {
                return (known, null);
            }
        }

        var plain = unit.Component(1).Text;
        return IsUcum(plain) && !plain.All(char.IsAsciiDigit) ? (plain, null) : (null, unit.Component(2).TextOrNull ?? unit.Component(1).TextOrNull);
    }

    // Every OBX says one of these: no text of its own for each.
    private static string Usual(Hl7Value value) => value.Raw switch
    {
        "" => "",
        "NM" => "NM",
        "ST" => "ST",
        "CWE" => "CWE",
        "NA" => "NA",
        "R" => "R",
        "F" => "F",
        "X" => "X",
        _ => value.Text,
    };

    private static string TopOf(string path) => path.IndexOf('.', StringComparison.Ordinal) is 1 && path[0] == '1' ? "1" : path[..path.IndexOf('.', StringComparison.Ordinal)];

    private static bool IsUcum(string code) => code.Length > 0 && Core.Units.Ucum.Standard.TryParse(code, out _);
}
