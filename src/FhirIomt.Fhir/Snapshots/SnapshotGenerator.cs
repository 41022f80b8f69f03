using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>
/// Makes the snapshot of a StructureDefinition that has only a differential (FHIR R4 §5.1.0.6 to §5.1.0.16): the base's snapshot, with what the
/// differential says laid over it.
/// </summary>
public static class SnapshotGenerator
{
    // Profiles build on each other: the deepest chain in US Core has three, in national base profiles five.
    private const int MaxDepth = 16;

    /// <summary>The same StructureDefinition with a snapshot. Codes IOMT-0200, IOMT-0202, IOMT-0205 to IOMT-0209.</summary>
    /// <param name="source">Where the base, and the types and profiles that the differential walks into, are found.</param>
    public static Outcome<JsonTree> Generate(JsonTree definition, IDefinitionSource source)
    {
        try
        {
            var tree = new SnapshotBases(source).Build(definition, depth: 0);
            return SnapshotWriter.Write(definition, tree);
        }
        catch (SnapshotException exception)
        {
            return exception.Issue;
        }
    }

    /// <summary>Finds the snapshots that others build on, making them where they are missing.</summary>
    internal sealed class SnapshotBases(IDefinitionSource source)
    {
        // The largest snapshot in US Core has 380 elements; slices and types that are walked into multiply, and what is sent here may mean harm.
        private const int MaxNodes = 200_000;

        private const string Core = "http://hl7.org/fhir/StructureDefinition/";

        private readonly Dictionary<string, SnapshotNode> _known = new(StringComparer.Ordinal);
        private int _left = MaxNodes;
        private readonly HashSet<string> _building = new(StringComparer.Ordinal);

        /// <summary>The snapshot of a type or profile; null when it is unknown. The caller clones what it keeps.</summary>
        public SnapshotNode? Find(string canonical, int depth)
        {
            if (_known.TryGetValue(canonical, out var known))
            {
                return known;
            }

            if (source.Find("StructureDefinition", Canonical.Parse(canonical)) is not { } found)
            {
                return null;
            }

            // What is being made already is walked into as its plain type: an extension may hold itself.
            if (!_building.Add(canonical))
            {
                return found.Tree.Root["type"u8].AsString() is { } type && canonical != Core + type ? Find(Core + type, depth + 1) : null;
            }

            var tree = ReadOrBuild(found.Tree, depth + 1);
            _building.Remove(canonical);
            return _known[canonical] = tree;
        }

        /// <summary>Counts the elements that are made.</summary>
        public void Spend(SnapshotNode made, string path)
        {
            _left -= made.Count;
            if (_left < 0)
            {
                throw new SnapshotException(SnapshotIssues.TooLarge(path));
            }
        }

        public SnapshotNode Build(JsonTree definition, int depth)
        {
            var root = definition.Root;
            var url = root["url"u8].AsString() ?? "";
            if (!root["resourceType"u8].TextEquals("StructureDefinition"u8) || url.Length == 0)
            {
                throw new SnapshotException(Issue.Error(IssueKind.Structure, "IOMT-0200", "This is not a StructureDefinition with url and type.", "StructureDefinition", "Give url and type."));
            }

            if (depth > MaxDepth)
            {
                throw new SnapshotException(SnapshotIssues.Circular(url));
            }

            _building.Add(url);
            var baseUrl = root["baseDefinition"u8].AsString() ?? "";
            var tree = Find(baseUrl, depth) ?? throw new SnapshotException(SnapshotIssues.NoBase(url, baseUrl));
            var differential = SnapshotNode.Read(root["differential"u8]["element"u8]);
            if (differential.Element?["type"].First()["profile"u8].First().AsString() == url)
            {
                throw new SnapshotException(SnapshotIssues.Circular(url));
            }

            return new SnapshotMerge(this, depth, isConstraint: !root["derivation"u8].TextEquals("specialization"u8)).Build(tree, differential, root["type"u8].AsString() ?? differential.Name);
        }

        private SnapshotNode ReadOrBuild(JsonTree definition, int depth) =>
            definition.Root["snapshot"u8].Exists ? SnapshotNode.Read(definition.Root["snapshot"u8]["element"u8]) : Build(definition, depth);
    }
}

/// <summary>Ends the making of a snapshot; caught where it began.</summary>
internal sealed class SnapshotException(Issue issue) : Exception(issue.Message)
{
    public Issue Issue => issue;
}
