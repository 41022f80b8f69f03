using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Templates;

/// <summary>How many values an expression found where one was asked for.</summary>
internal enum PathFinding
{
    Nothing,
    One,
    Several,

    /// <summary>It could not be computed, for example by a division by zero.</summary>
    Failed,
}

/// <summary>An expression of a device mapping, in whichever language, compiled once.</summary>
internal abstract class MappingExpression(string text)
{
    /// <summary>As it stands in the mapping.</summary>
    public string Text => text;

    /// <summary>Where it stands in the mapping.</summary>
    public TextPosition? Position { get; set; }

    /// <summary>Sets of member names; from each set at least one name must stand in the document for the expression to find anything.</summary>
    public abstract IEnumerable<string[]> RequiredNames { get; }

    /// <summary>The one value that the expression stands for; <paramref name="failure"/> says why there is none when it could not be computed.</summary>
    public abstract PathFinding SelectOne(in PathScope scope, out ResourceNode node, out string? failure);

    /// <summary>Every value it stands for. They may belong to other trees than the scope's: what was computed is a small document of its own.</summary>
    public abstract IReadOnlyList<ResourceNode> SelectAll(in PathScope scope, out string? failure);

    public override string ToString() => Text;
}

/// <summary>An expression that does not compile, kept for mappings that ask for errors at run time.</summary>
internal sealed class BrokenExpression(string text, string problem) : MappingExpression(text)
{
    public override IEnumerable<string[]> RequiredNames => [];

    public override PathFinding SelectOne(in PathScope scope, out ResourceNode node, out string? failure)
    {
        (node, failure) = (default, problem);
        return PathFinding.Failed;
    }

    public override IReadOnlyList<ResourceNode> SelectAll(in PathScope scope, out string? failure)
    {
        failure = problem;
        return [];
    }
}
