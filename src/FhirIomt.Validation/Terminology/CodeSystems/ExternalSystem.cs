using System.Buffers;
using System.Collections.Frozen;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>What the form of a code says about it, when its code system is known by name but its content is not here.</summary>
internal enum CodeForm
{
    /// <summary>The form is right; whether the code is assigned cannot be said.</summary>
    Plausible,

    /// <summary>The form alone makes it a code: a grammar defines the system.</summary>
    Valid,

    /// <summary>No code of the system can look like that.</summary>
    Malformed,
}

/// <summary>
/// Code systems that HL7 names but whose content belongs to others (FHIR R4 §4.3.0). Codes are checked by form, check digit or grammar.
/// </summary>
internal sealed class ExternalSystem
{
    public const string Ucum = "http://unitsofmeasure.org";
    public const string Mdc = "urn:iso:std:iso:11073:10101";

    // What stands in a post-coordinated SNOMED CT expression, and never in an identifier.
    private static readonly SearchValues<char> ExpressionMarks = SearchValues.Create(":+{}|= ");

    private static readonly FrozenDictionary<string, Func<string, CodeForm>> Forms = new Dictionary<string, Func<string, CodeForm>>(StringComparer.Ordinal)
    {
        ["http://loinc.org"] = LoincCode,
        ["http://snomed.info/sct"] = SnomedCode,
        [Mdc] = MdcCode,
        ["urn:ietf:bcp:47"] = code => LanguageTag.IsWellFormed(code) ? CodeForm.Valid : CodeForm.Malformed,
        ["urn:ietf:bcp:13"] = code => IsMimeType(code) ? CodeForm.Valid : CodeForm.Malformed,
        ["urn:iso:std:iso:3166"] = code => FormOf(code.Length is 2 or 3 && (code.All(char.IsAsciiLetterUpper) || (code.Length == 3 && code.All(char.IsAsciiDigit)))),
        ["urn:iso:std:iso:3166:-2"] = code => FormOf(code.Length is >= 4 and <= 6 && code[2] == '-'),
        ["urn:iso:std:iso:4217"] = code => FormOf(code.Length == 3 && code.All(char.IsAsciiLetterUpper)),
        ["http://dicom.nema.org/resources/ontology/DCM"] = code => FormOf(IsToken(code)),
        ["http://hl7.org/fhir/sid/icd-10"] = code => FormOf(IsToken(code)),
        ["http://hl7.org/fhir/sid/icd-10-cm"] = code => FormOf(IsToken(code)),
        ["http://hl7.org/fhir/sid/icd-9-cm"] = code => FormOf(IsToken(code)),
        ["http://hl7.org/fhir/sid/cvx"] = code => FormOf(code.All(char.IsAsciiDigit)),
        ["http://hl7.org/fhir/sid/mvx"] = code => FormOf(IsToken(code)),
        ["http://hl7.org/fhir/sid/ndc"] = code => FormOf(IsToken(code)),
        ["http://www.nlm.nih.gov/research/umls/rxnorm"] = code => FormOf(code.All(char.IsAsciiDigit)),
        ["http://www.ama-assn.org/go/cpt"] = code => FormOf(IsToken(code)),
        ["http://www.whocc.no/atc"] = code => FormOf(IsToken(code)),
        ["http://ncimeta.nci.nih.gov"] = code => FormOf(IsToken(code)),
        ["http://varnomen.hgvs.org"] = _ => CodeForm.Plausible,
        ["https://www.gs1.org/gtin"] = code => FormOf(code.All(char.IsAsciiDigit)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly Func<string, bool>? _isUcum;

    /// <param name="isUcum">UCUM's grammar; without it units are not checked.</param>
    public ExternalSystem(Func<string, bool>? isUcum) => _isUcum = isUcum;

    /// <summary>Null when the system is not known even by name.</summary>
    public CodeForm? FormOf(string system, string code)
    {
        if (system == Ucum)
        {
            return _isUcum is null ? CodeForm.Plausible : _isUcum(code) ? CodeForm.Valid : CodeForm.Malformed;
        }

        return Forms.TryGetValue(system, out var form) ? code.Length == 0 ? CodeForm.Malformed : form(code) : null;
    }

    public static bool IsKnown(string system) => system == Ucum || Forms.ContainsKey(system);

    private static CodeForm FormOf(bool plausible) => plausible ? CodeForm.Plausible : CodeForm.Malformed;

    // 1 to 8 digits, a dash, the check digit (LOINC Users' Guide). Parts, groups, answer lists and answers have a prefix and count otherwise: only their form is looked at.
    private static CodeForm LoincCode(string code)
    {
        var hasPrefix = code is ['L', 'P' or 'A' or 'L' or 'G', _, ..];
        var number = code.AsSpan(hasPrefix ? 2 : 0);
        var dash = number.IndexOf('-');
        var wellFormed = dash is >= 1 and <= 8 && number.Length == dash + 2 && char.IsAsciiDigit(number[^1]) && AllDigits(number[..dash]);
        return FormOf(wellFormed && (hasPrefix || CheckDigit.Mod10(number[..dash]) == number[^1] - '0'));
    }

    // SNOMED CT Release File Specification §6: 6 to 18 digits, no leading zero, partition 00/10 for concepts, Verhoeff check digit. Expressions are not looked into.
    private static CodeForm SnomedCode(string code)
    {
        if (code.AsSpan().ContainsAny(ExpressionMarks))
        {
            return CodeForm.Plausible;
        }

        var wellFormed = code.Length is >= 6 and <= 18 && code[0] != '0' && AllDigits(code);
        return FormOf(wellFormed && code[^2] == '0' && code[^3] is '0' or '1' && CheckDigit.IsVerhoeff(code));
    }

    // ISO/IEEE 11073-10101: partition * 65536 + term code, or a term code within a partition; reference ids are not codes here.
    private static CodeForm MdcCode(string code) =>
        MdcCodes.ReferenceId(code) is not null ? CodeForm.Valid : FormOf(code.Length <= 10 && code[0] != '0' && AllDigits(code));

    private static bool IsMimeType(string code)
    {
        var bare = code.AsSpan(0, code.IndexOf(';') is >= 0 and var parameters ? parameters : code.Length).Trim();
        var slash = bare.IndexOf('/');
        return slash > 0 && slash < bare.Length - 1 && IsMimeName(bare[..slash]) && IsMimeName(bare[(slash + 1)..]);
    }

    private static bool IsMimeName(ReadOnlySpan<char> name)
    {
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && !"!#$&-^_.+*".Contains(letter))
            {
                return false;
            }
        }

        return name.Length is > 0 and <= 127;
    }

    private static bool IsToken(string code) => code.Length <= 64 && !code.AsSpan().ContainsAny(' ', '\t', '\n');

    private static bool AllDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
