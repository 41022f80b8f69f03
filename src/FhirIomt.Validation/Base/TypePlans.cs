using System.Collections.Concurrent;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Base;

/// <summary>The compiled types of a validator, each made when first met; safe for many threads.</summary>
/// <param name="checks">What is asked of a resource type beyond its structure, by type name.</param>
internal sealed class TypePlans(FhirDefinitions definitions, BindingSource bindings, IReadOnlyDictionary<string, IResourceCheck> checks)
{
    private readonly ConcurrentDictionary<FhirType, TypePlan> _types = new(ReferenceEqualityComparer.Instance as IEqualityComparer<FhirType>);
    private readonly ConcurrentDictionary<string, TypePlan> _resources = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<FhirConstraint, Invariant> _invariants = [];

    public FhirDefinitions Definitions => definitions;

    public BindingSource Bindings => bindings;

    public CanonicalCheck Canonicals { get; } = new(bindings);

    public CodingCheck Codings { get; } = new(bindings.Terminology);

    public IResourceCheck? CheckOf(FhirType type) => checks.GetValueOrDefault(type.Name);

    public TypePlan For(FhirType type) => _types.TryGetValue(type, out var known) ? known : _types.GetOrAdd(type, new TypePlan(type, this));

    /// <summary>The plan of a concrete resource type; null when R4 has no such type.</summary>
    public TypePlan? Resource(ResourceNode resourceType)
    {
        // The longest resource type has 37 letters.
        Span<char> name = stackalloc char[64];
        if (!resourceType.IsString || !Encoding.UTF8.TryGetChars(resourceType.ContentSpan, name, out var length))
        {
            return null;
        }

        if (_resources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out var known))
        {
            return known;
        }

        var text = name[..length].ToString();
        return definitions.IsResourceType(text) ? _resources.GetOrAdd(text, For(definitions.Type(text)!)) : null;
    }

    public IReadOnlyList<Invariant> InvariantsOf(IReadOnlyList<FhirConstraint> constraints)
    {
        List<Invariant>? invariants = null;
        foreach (var constraint in constraints)
        {
            if (!Invariant.IsHeldByTheWalk(constraint))
            {
                (invariants ??= []).Add(InvariantOf(constraint));
            }
        }

        return invariants is null ? [] : invariants.ToArray();
    }

    public Invariant InvariantOf(FhirConstraint constraint) => _invariants.GetOrAdd(constraint, static (key, all) => Invariant.Compile(key, all), definitions);
}
