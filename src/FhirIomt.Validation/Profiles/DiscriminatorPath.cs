using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>
/// The restricted FHIRPath of discriminators (FHIR R4 §5.1.0.12): element names, <c>$this</c>, <c>extension('url')</c>, <c>ofType(Type)</c> and <c>resolve()</c>.
/// </summary>
internal sealed class DiscriminatorPath
{
    private readonly Step[] _steps;

    private DiscriminatorPath(Step[] steps)
    {
        _steps = steps;
    }

    /// <param name="member">The member that the node is a value of, or nothing where the path does not end at one.</param>
    public delegate bool Test<in TArgument>(ResourceNode node, ResourceNode member, TArgument argument);

    public enum StepKind : byte
    {
        Name,
        Extension,
        OfType,
        Resolve,
    }

    public IReadOnlyList<Step> Steps => _steps;

    public bool IsThis => _steps.Length == 0;

    /// <summary>Null when the path uses more than that.</summary>
    public static DiscriminatorPath? Parse(string path)
    {
        var steps = new List<Step>();
        var rest = path.AsSpan();
        while (!rest.IsEmpty)
        {
            var close = rest.IndexOf(')');
            var length = rest.StartsWith("extension(") || rest.StartsWith("ofType(") || rest.StartsWith("resolve(") ? close + 1 : rest.IndexOf('.') is >= 0 and var dot ? dot : rest.Length;
            if (length <= 0 || !TryRead(rest[..length].ToString(), steps))
            {
                return null;
            }

            rest = rest[length..];
            rest = rest.StartsWith(".") ? rest[1..] : rest;
        }

        return new DiscriminatorPath([.. steps]);
    }

    /// <summary>The first steps only.</summary>
    public DiscriminatorPath Take(int count) => new(_steps[..count]);

    /// <summary>Whether some value at the path passes.</summary>
    public bool Any<TArgument>(ProfileContext context, ResourceNode node, TArgument argument, Test<TArgument> test) => Any(context, node, default, 0, argument, test);

    public override string ToString() => _steps.Length == 0 ? "$this" : string.Join('.', _steps.Select(step => step.Kind == StepKind.Resolve ? "resolve()" : Encoding.UTF8.GetString(step.Text)));

    private static bool TryRead(string step, List<Step> steps)
    {
        if (step == "resolve()")
        {
            steps.Add(new Step(StepKind.Resolve, []));
        }
        else if (step.StartsWith("extension(", StringComparison.Ordinal))
        {
            steps.Add(new Step(StepKind.Extension, Encoding.UTF8.GetBytes(step[10..^1].Trim('\'', '"'))));
        }
        else if (step.StartsWith("ofType(", StringComparison.Ordinal))
        {
            steps.Add(new Step(StepKind.OfType, Encoding.UTF8.GetBytes(step[7..^1])));
        }
        else if (step.AsSpan().ContainsAny("() "))
        {
            return false;
        }
        else if (step != "$this")
        {
            steps.Add(new Step(StepKind.Name, Encoding.UTF8.GetBytes(step.EndsWith("[x]", StringComparison.Ordinal) ? step[..^3] : step)));
        }

        return true;
    }

    private bool Any<TArgument>(ProfileContext context, ResourceNode node, ResourceNode member, int at, TArgument argument, Test<TArgument> test)
    {
        if (at == _steps.Length)
        {
            return node.Exists && test(node, member, argument);
        }

        var step = _steps[at];
        switch (step.Kind)
        {
            case StepKind.OfType:
                return member.Exists && member.NameSpan.EndsWith(step.Text) && Any(context, node, member, at + 1, argument, test);
            case StepKind.Resolve:
                return context.Scope.Resolve(node["reference"u8]) is { Exists: true } target && Any(context, target, default, at + 1, argument, test);
        }

        foreach (var child in node.Children)
        {
            if (!step.Names(child.NameSpan))
            {
                continue;
            }

            foreach (var item in child.Items)
            {
                if ((step.Kind != StepKind.Extension || item["url"u8].TextEquals(step.Text)) && Any(context, item, child, at + 1, argument, test))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <param name="Text">Name, extension URL or type.</param>
    public readonly record struct Step(StepKind Kind, byte[] Text)
    {
        // A choice is met in any of its forms: value is valueString as well. No R4 type has both x and xY where x is a choice.
        public bool Names(ReadOnlySpan<byte> member) => Kind == StepKind.Extension ? member.SequenceEqual("extension"u8)
            : member.StartsWith(Text) && (member.Length == Text.Length || member[Text.Length] is >= (byte)'A' and <= (byte)'Z');
    }
}
