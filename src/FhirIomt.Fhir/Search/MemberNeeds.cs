using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>
/// Which members a resource must have for an expression to select anything, told from its text; unknown means "may always". A resource's members
/// are bits, so that one pass over it rules out most parameters. Members beyond the 64th share bits, which only costs a useless evaluation.
/// </summary>
internal sealed class MemberNeeds
{
    // Every mask must have a member present; all bits set stands for "unknown", which an empty resource meets too.
    private readonly ulong[] _masks;

    private MemberNeeds(params ulong[] masks) => _masks = masks;

    public static MemberNeeds Unknown { get; } = new();

    /// <summary>Reads the forms of R4's paths: <c>Type.element…</c>, perhaps in parentheses, or the whole <c>Type</c> for a composite.</summary>
    public static MemberNeeds Of(FhirType type, string expression, IReadOnlyList<SearchParameterComponent> components)
    {
        var path = expression.AsSpan().Trim().TrimStart('(').Trim();
        if (components.Count > 0 && path.SequenceEqual(type.Name))
        {
            return new MemberNeeds([.. components.Select(component => MaskOf(type, component.Expression))]);
        }

        var dot = path.IndexOf('.');
        var isThis = dot > 0 && (path[..dot].SequenceEqual(type.Name) || path[..dot] is "Resource" or "DomainResource");
        return isThis ? new MemberNeeds(MaskOf(type, path[(dot + 1)..])) : Unknown;
    }

    public static ulong Present(FhirType type, ResourceNode root)
    {
        ulong present = 0;
        foreach (var child in root.Children)
        {
            var name = child.NameSpan;
            if (type.Find(name.Length > 0 && name[0] == (byte)'_' ? name[1..] : name) is { } member)
            {
                present |= Bit(member);
            }
        }

        return present;
    }

    public bool MayBeMet(ulong present)
    {
        foreach (var mask in _masks)
        {
            if (mask != ulong.MaxValue && (mask & present) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static ulong MaskOf(FhirType type, ReadOnlySpan<char> path)
    {
        var name = Word(path);
        var rest = path[name.Length..];

        // exists(), empty() and logic select something where the element is absent.
        var isLogic = rest.StartsWith("(") ? name is not "extension" : rest.Contains("exists(", StringComparison.Ordinal) || rest.Contains("empty(", StringComparison.Ordinal);
        if (isLogic || type.Element(name.ToString()) is not { } element)
        {
            return ulong.MaxValue;
        }

        var wanted = !element.IsChoice ? default
            : rest.StartsWith(" as ") ? Word(rest[4..])
            : rest.StartsWith(".as(") ? Word(rest[4..])
            : rest.StartsWith(".ofType(") ? Word(rest[8..]) : default;
        ulong mask = 0;
        foreach (var member in element.Members)
        {
            mask |= wanted.IsEmpty || wanted.SequenceEqual(member.Type.Name) ? Bit(member) : 0;
        }

        return mask;
    }

    private static ReadOnlySpan<char> Word(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && char.IsAsciiLetterOrDigit(text[length]))
        {
            length++;
        }

        return text[..length];
    }

    private static ulong Bit(FhirMember member) => 1UL << (member.Ordinal & 63);
}
