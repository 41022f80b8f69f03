using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>A search parameter ready to run.</summary>
/// <param name="StartsAt">Bits of the elements that its paths start at: none present, nothing found.</param>
internal sealed record PlannedParameter(
    SearchParameter Parameter, FhirPathExpression Expression, ulong StartsAt, IReadOnlyList<(SearchParameter Parameter, FhirPathExpression Expression)> Components);

/// <summary>The compiled parameters of one resource type.</summary>
internal sealed class SearchPlan
{
    private readonly FhirDefinitions _definitions;
    // R4's own parameters come from the definitions' tables, always the same objects; the limit is for callers that make their own.
    private const int MaxPlanned = 1000;

    private readonly ConcurrentDictionary<SearchParameter, PlannedParameter> _planned = new(ReferenceEqualityComparer.Instance);

    public SearchPlan(FhirType type, FhirDefinitions definitions)
    {
        Type = type;
        _definitions = definitions;
        var parameters = new List<PlannedParameter>();
        foreach (var parameter in definitions.SearchParameters(type.Name))
        {
            if (parameter is { Expression: not null, Type: not SearchParameterType.Special })
            {
                parameters.Add(For(parameter));
            }
        }

        Parameters = parameters;
    }

    public FhirType Type { get; }

    public IReadOnlyList<PlannedParameter> Parameters { get; }

    public PlannedParameter For(SearchParameter parameter) =>
        _planned.TryGetValue(parameter, out var known) ? known
        : _planned.Count < MaxPlanned ? _planned.GetOrAdd(parameter, Compile(parameter))
        : Compile(parameter);

    /// <summary>Bits of the elements that a resource has. Types with more than 64 elements share bits, which only costs a useless evaluation.</summary>
    public ulong Present(ResourceNode root)
    {
        ulong present = 0;
        foreach (var child in root.Children)
        {
            var name = child.NameSpan;
            if (Type.Find(name.Length > 0 && name[0] == (byte)'_' ? name[1..] : name) is { } member)
            {
                present |= Bit(member.Element);
            }
        }

        return present;
    }

    private static ulong Bit(FhirElement element) => 1UL << (element.Ordinal & 63);

    private PlannedParameter Compile(SearchParameter parameter)
    {
        var components = new List<(SearchParameter, FhirPathExpression)>();
        foreach (var component in parameter.Components)
        {
            if (FindByUrl(component.DefinitionUrl) is { } definition)
            {
                components.Add((definition, FhirPathExpression.Compile(component.Expression, _definitions).Require()));
            }
        }

        var complete = components.Count == parameter.Components.Count;
        var expression = FhirPathExpression.Compile(parameter.Expression ?? "{}", _definitions).Require();
        return new PlannedParameter(parameter, expression, complete ? StartsAt(parameter.Expression ?? "") : 0, components);
    }

    private SearchParameter? FindByUrl(string url)
    {
        foreach (var parameter in _definitions.SearchParameters(Type.Name))
        {
            if (parameter.Url == url)
            {
                return parameter;
            }
        }

        return null;
    }

    // Every R4 expression is a union of paths, each "Type.element…", perhaps in parentheses; anything else is always evaluated.
    private ulong StartsAt(string expression)
    {
        ulong bits = 0;
        foreach (var part in expression.Split('|'))
        {
            var path = part.AsSpan().Trim().TrimStart('(').Trim();
            var dot = path.IndexOf('.');
            if (dot <= 0 || !IsThisType(path[..dot]))
            {
                return ulong.MaxValue;
            }

            var rest = path[(dot + 1)..];
            var length = 0;
            while (length < rest.Length && char.IsAsciiLetterOrDigit(rest[length]))
            {
                length++;
            }

            // exists(), empty() and logic select something where the element is absent.
            var isPath = !expression.Contains("exists(", StringComparison.Ordinal) && !(length < rest.Length && rest[length] == '(' && rest[..length] is not "extension");
            if (!isPath || Type.Element(rest[..length].ToString()) is not { } element)
            {
                return ulong.MaxValue;
            }

            bits |= Bit(element);
        }

        return bits;
    }

    private bool IsThisType(ReadOnlySpan<char> name) => name.SequenceEqual(Type.Name) || name is "Resource" or "DomainResource";
}
