using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>One discriminator as a slice fixes it.</summary>
internal abstract class SliceCondition
{
    public abstract bool Holds(in ProfileItem item);
}

/// <summary>Some value at a path is the fixed one, or has the pattern.</summary>
internal sealed class ValueCondition(DiscriminatorPath path, ValueCheck[] expected) : SliceCondition
{
    public override bool Holds(in ProfileItem item) => path.Any(item.Node, this, static (node, self) => self.IsExpected(node));

    public override string ToString() => path + " " + string.Join<object>(" or ", expected);

    private bool IsExpected(ResourceNode node)
    {
        foreach (var value in expected)
        {
            if (value.Holds(node))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Some value at a path is in the required value set.</summary>
internal sealed class BoundCondition(DiscriminatorPath path, BindingCheck binding) : SliceCondition
{
    public override bool Holds(in ProfileItem item) => path.Any(item.Node, binding, static (node, binding) => binding.Holds(node));

    public override string ToString() => $"{path} from {binding.Codes.Url}";
}

internal sealed class ExistsCondition(DiscriminatorPath path, bool exists) : SliceCondition
{
    public override bool Holds(in ProfileItem item) => path.Any(item.Node, exists, static (_, _) => true) == exists;

    public override string ToString() => $"{path} {(exists ? "exists" : "is absent")}";
}

internal sealed class TypeCondition(TypeCheck type) : SliceCondition
{
    public override bool Holds(in ProfileItem item) => type.Allows(item);

    public override string ToString() => $"$this {type}";
}

/// <summary>The type of a resource at a path, such as <c>resource</c> of Bundle.entry.</summary>
internal sealed class ResourceTypeCondition(DiscriminatorPath path, string resourceType) : SliceCondition
{
    public override bool Holds(in ProfileItem item) => path.Any(item.Node, resourceType, static (node, type) => Ascii.Equals(node["resourceType"u8].ContentSpan, type));

    public override string ToString() => $"{path} is {resourceType}";
}

/// <summary>
/// The restricted FHIRPath of discriminators (FHIR R4 §5.1.0.12): element names, <c>$this</c> and <c>extension('url')</c>.
/// </summary>
internal sealed class DiscriminatorPath
{
    private readonly Step[] _steps;

    private DiscriminatorPath(Step[] steps)
    {
        _steps = steps;
    }

    public delegate bool Test<in TArgument>(ResourceNode node, TArgument argument);

    public IEnumerable<string> Names => _steps.Select(step => Encoding.UTF8.GetString(step.Name));

    /// <summary>Null when the path uses more than that.</summary>
    public static DiscriminatorPath? Parse(string path)
    {
        var steps = new List<Step>();
        var rest = path.AsSpan();
        while (!rest.IsEmpty)
        {
            if (rest.StartsWith("extension('"))
            {
                var end = rest.IndexOf("')");
                if (end < 0)
                {
                    return null;
                }

                steps.Add(new Step("extension"u8.ToArray(), Encoding.UTF8.GetBytes(rest[11..end].ToString())));
                rest = rest[(end + 2)..];
            }
            else
            {
                var end = rest.IndexOf('.');
                var name = end < 0 ? rest : rest[..end];
                if (name.ContainsAny("()") || name.IsEmpty)
                {
                    return null;
                }

                if (name is not "$this")
                {
                    steps.Add(new Step(Encoding.UTF8.GetBytes(name.ToString()), ExtensionUrl: null));
                }

                rest = rest[name.Length..];
            }

            rest = rest.StartsWith(".") ? rest[1..] : rest;
        }

        return new DiscriminatorPath([.. steps]);
    }

    /// <summary>The first steps only.</summary>
    public DiscriminatorPath Take(int count) => new(_steps[..count]);

    /// <summary>Whether some value at the path passes.</summary>
    public bool Any<TArgument>(ResourceNode node, TArgument argument, Test<TArgument> test) => Any(node, 0, argument, test);

    public override string ToString() => _steps.Length == 0 ? "$this" : string.Join('.', Names);

    private bool Any<TArgument>(ResourceNode node, int at, TArgument argument, Test<TArgument> test)
    {
        if (at == _steps.Length)
        {
            return node.Exists && test(node, argument);
        }

        var step = _steps[at];
        foreach (var child in node.Children)
        {
            if (!step.Names(child.NameSpan))
            {
                continue;
            }

            foreach (var item in child.Items)
            {
                if ((step.ExtensionUrl is null || item["url"u8].TextEquals(step.ExtensionUrl)) && Any(item, at + 1, argument, test))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private readonly record struct Step(byte[] Name, byte[]? ExtensionUrl)
    {
        // A choice is met in any of its forms: value is valueString as well. No R4 type has both x and xY where x is a choice.
        public bool Names(ReadOnlySpan<byte> member) =>
            member.StartsWith(Name) && (member.Length == Name.Length || (Name.AsSpan().SequenceEqual("value"u8) && member[Name.Length] is >= (byte)'A' and <= (byte)'Z'));
    }
}
