using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Base;

/// <summary>Where bindings find their value sets.</summary>
internal sealed class BindingSource(ProfileCatalog catalog, TerminologyService terminology)
{
    public TerminologyService Terminology => terminology;

    public IDefinitionSource Definitions => catalog.Library;

    /// <summary>The codes, when the set can be listed: R4's own from its compiled tables, others from their definitions.</summary>
    public CodeSet? List(string canonical, DefinitionResource? from) =>
        catalog.Library.HasAdded("ValueSet", Canonical.Parse(canonical).Url) || catalog.Definitions.ValueSet(canonical) is not { } compiled ? terminology.TryList(canonical, from) : compiled;
}

/// <summary>A code against a value set (FHIR R4 §4.1.3).</summary>
internal sealed class BindingCheck
{
    private readonly BindingSource _source;
    private readonly DefinitionResource? _from;
    private readonly Lazy<CodeSet?> _codes;
    private readonly AskedCodes _asked = new();
    private readonly Form _form;
    private readonly FhirBinding _binding;
    private readonly BindingCheck? _limit;

    private BindingCheck(BindingSource source, FhirBinding binding, Form form, DefinitionResource? from)
    {
        (_source, _binding, _form, _from) = (source, binding, form, from);
        _codes = new Lazy<CodeSet?>(() => source.List(binding.ValueSet, from));
        _limit = binding.MaxValueSet is { } limit ? new BindingCheck(source, new FhirBinding(BindingStrength.Required, limit, null), form, from) : null;
    }

    private enum Form : byte
    {
        Code,
        Coding,
        Concept,
    }

    public string Url => Canonical.Parse(_binding.ValueSet).Url;

    /// <summary>Null when there is nothing to check. A Quantity is coded by its unit, so it is read like a Coding.</summary>
    /// <param name="from">The definition that the binding stands in; null for R4's own types.</param>
    public static BindingCheck? For(FhirBinding? binding, FhirType type, BindingSource source, DefinitionResource? from = null)
    {
        var isChecked = binding is { ValueSet.Length: > 0 } && (binding.Strength is BindingStrength.Required or BindingStrength.Extensible || binding.MaxValueSet is not null);
        return isChecked && FormOf(type) is { } form ? new BindingCheck(source, binding!, form, from) : null;
    }

    public void Run(ValidationRun run, ResourceNode node)
    {
        if (!node.Exists)
        {
            return;
        }

        if (_binding.Strength >= BindingStrength.Extensible && !Holds(node))
        {
            // The code is not repeated: a finding may be logged where the resource may not.
            var message = _form switch
            {
                Form.Code => $"The code is not in the value set {Url}.",
                Form.Coding => $"The coding is not in the value set {Url}.",
                _ => $"No coding of the concept is in the value set {Url}.",
            };
            run.Add(_binding.Strength == BindingStrength.Required ? ValidationIssues.NotInRequiredSet : ValidationIssues.NotInExtensibleSet, node, message);
        }

        _limit?.Run(run, node);
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
        return !hasCode && (_binding.Strength != BindingStrength.Required || !concept["text"u8].Exists);
    }

    private bool HasCode(ResourceNode node)
    {
        // A set that cannot be listed does not say which system the code is from.
        Span<char> code = stackalloc char[256];
        if (_codes.Value is not { } codes)
        {
            return true;
        }

        if (!TryRead(node, code, out var length))
        {
            return _source.Terminology.Validate(_binding.ValueSet, system: null, node.AsString()!, from: _from).IsMember != false;
        }

        return codes.ContainsCode(code[..length]) || (_asked.Find("", code[..length])
            ?? _asked.Keep("", code[..length], _source.Terminology.Validate(_binding.ValueSet, system: null, code[..length].ToString(), from: _from).IsMember != false));
    }

    // What the list does not have is asked again: some code systems do not mind letter case, and some sets cannot be listed. What cannot be told holds.
    private bool HasCoding(ResourceNode coding)
    {
        Span<char> code = stackalloc char[256];
        Span<char> system = stackalloc char[256];
        if (!TryRead(coding["code"u8], code, out var codeLength) || !TryRead(coding["system"u8], system, out var systemLength))
        {
            return false;
        }

        system = system[..systemLength];
        code = code[..codeLength];
        return (_codes.Value?.Contains(system, code) ?? false)
            || (_asked.Find(system, code) ?? _asked.Keep(system, code, _source.Terminology.IsMember(_binding.ValueSet, system, code, _from) != false));
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
