using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>A code against a value set (FHIR R4 §4.1.3). Value sets that cannot be listed have no check.</summary>
internal sealed class BindingCheck
{
    private enum Form : byte
    {
        Code,
        Coding,
        Concept,
    }

    private readonly CodeSet _codes;
    private readonly Form _form;
    private readonly bool _isRequired;

    private BindingCheck(CodeSet codes, Form form, bool isRequired)
    {
        _codes = codes;
        _form = form;
        _isRequired = isRequired;
    }

    public CodeSet Codes => _codes;

    /// <summary>Null when there is nothing to check. A Quantity is coded by its unit, so it is read like a Coding.</summary>
    public static BindingCheck? For(FhirBinding? binding, FhirType type, Func<string, CodeSet?> valueSet)
    {
        if (binding is not { Strength: BindingStrength.Required or BindingStrength.Extensible } || FormOf(type) is not { } form)
        {
            return null;
        }

        return valueSet(binding.ValueSet) is { } codes ? new BindingCheck(codes, form, binding.Strength == BindingStrength.Required) : null;
    }

    public void Run(ValidationRun run, ResourceNode node)
    {
        if (!node.Exists || Holds(node))
        {
            return;
        }

        // The code is not repeated: a finding may be logged where the resource may not.
        var message = _form switch
        {
            Form.Code => $"The code is not in the value set {_codes.Url}.",
            Form.Coding => $"The coding is not in the value set {_codes.Url}.",
            _ => $"No coding of the concept is in the value set {_codes.Url}.",
        };
        run.Add(_isRequired ? ValidationIssues.NotInRequiredSet : ValidationIssues.NotInExtensibleSet, node, message);
    }

    public bool Holds(ResourceNode node) => _form switch
    {
        Form.Code => !node.IsString || HasCode(node),
        Form.Coding => !node["code"u8].Exists || HasCoding(node),
        _ => HoldsForConcept(node),
    };

    private static Form? FormOf(FhirType type) => type.Name switch
    {
        "code" or "string" or "uri" => Form.Code,
        "Coding" or "Quantity" or "Age" or "Duration" or "Money" or "SimpleQuantity" => Form.Coding,
        "CodeableConcept" => Form.Concept,
        _ => null,
    };

    private bool HoldsForConcept(ResourceNode concept)
    {
        var hasCode = false;
        foreach (var coding in concept["coding"u8].Items)
        {
            hasCode |= coding["code"u8].Exists;
            if (HasCoding(coding))
            {
                return true;
            }
        }

        // Extensible: text alone says that no code fits (§4.1.3.2). Required: one coding must be from the set (§4.1.3.1).
        return !hasCode && (!_isRequired || !concept["text"u8].Exists);
    }

    private bool HasCode(ResourceNode node)
    {
        Span<char> code = stackalloc char[256];
        return TryRead(node, code, out var length) && _codes.ContainsCode(code[..length]);
    }

    private bool HasCoding(ResourceNode coding)
    {
        Span<char> code = stackalloc char[256];
        Span<char> system = stackalloc char[256];
        return TryRead(coding["code"u8], code, out var codeLength) && TryRead(coding["system"u8], system, out var systemLength)
            && _codes.Contains(system[..systemLength], code[..codeLength]);
    }

    private static bool TryRead(ResourceNode node, Span<char> text, out int length)
    {
        length = 0;
        if (!node.IsString)
        {
            return false;
        }

        var content = node.ContentSpan;
        if (content.Contains((byte)'\\'))
        {
            var unescaped = node.AsString()!;
            length = unescaped.Length;
            return unescaped.TryCopyTo(text);
        }

        return Encoding.UTF8.TryGetChars(content, text, out length);
    }
}
