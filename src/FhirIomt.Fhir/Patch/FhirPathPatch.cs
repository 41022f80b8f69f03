using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>FHIRPath Patch (R4 §3.1.0.9.2): all operations or none. What is not touched keeps its bytes.</summary>
public sealed class FhirPathPatch
{
    // Each operation reads the resource anew, since its path is evaluated on what the one before left.
    private const int MaxOperations = 500;

    // A patch comes from outside, and its paths are run on one resource.
    private static readonly FhirPathLimits PathLimits = new(2_000_000, 100_000, TimeSpan.FromMilliseconds(100));

    private readonly FhirDefinitions _definitions;
    private readonly JsonTree _tree;
    private readonly EditNode _root;
    private readonly string _where;
    private readonly PatchValue _values;

    private FhirPathPatch(JsonTree tree, FhirDefinitions definitions, string where)
    {
        _tree = tree;
        _definitions = definitions;
        _where = where;
        _root = new EditNode(tree.Root);
        _values = new PatchValue(definitions, where);
    }

    /// <summary>The patched resource. Codes IOMT-0320, 0321, 0323, 0325 to 0327, and those of FHIRPath for its paths; the expression is the operation.</summary>
    public static Outcome<JsonTree> Apply(JsonTree resource, ResourceNode parameters, FhirDefinitions definitions, JsonLimits? limits = null)
    {
        if (parameters["resourceType"u8].AsString() != "Parameters")
        {
            return PatchIssues.NotAPatch("it is no Parameters resource.", "Parameters");
        }

        var operations = parameters["parameter"u8];
        if (operations.Count > MaxOperations)
        {
            return PatchIssues.TooCostly($"The patch has more than {MaxOperations} operations.", "Parameters");
        }

        var (tree, number) = (resource, 0);
        foreach (var operation in operations.Items)
        {
            var where = $"Parameters.parameter[{(number++).ToString(CultureInfo.InvariantCulture)}]";
            if (operation["name"u8].AsString() != "operation")
            {
                return PatchIssues.NotAPatch("every parameter is named 'operation'.", where);
            }

            var run = new FhirPathPatch(tree, definitions, where);
            if (run.Apply(PatchParts.Read(operation)) is { } issue)
            {
                return issue;
            }

            if (!JsonTree.Parse(run._root.ToBytes(), limits).TryGetValue(out tree, out var issues))
            {
                return Outcome<JsonTree>.Refused(issues);
            }
        }

        return tree;
    }

    private Issue? Apply(PatchParts parts)
    {
        if (parts.Type is not { } type || parts.Path is not { } path)
        {
            return PatchIssues.NotAPatch("an operation needs the parts 'type' and 'path'.", _where);
        }

        if (type is not ("add" or "insert" or "delete" or "replace" or "move"))
        {
            return PatchIssues.UnknownOperation(type, _where, "add, insert, delete, replace, move");
        }

        if (!Select(path).TryGetValue(out var items, out var issues))
        {
            return issues[0] with { Expression = _where };
        }

        return type switch
        {
            "add" => Add(items, path, parts),
            "delete" => Delete(items, path),
            "replace" => Replace(items, path, parts),
            _ => Rearrange(items, path, parts, isMove: type == "move"),
        };
    }

    private Outcome<IReadOnlyList<FhirPathItem>> Select(string path)
    {
        var focus = FhirPathItem.Resource(_tree, _definitions);
        return FhirPathExpression.Compile(path, _definitions).TryGetValue(out var expression, out var issues)
            ? expression.TryEvaluate(focus, new FhirPathEnvironment { Resource = focus, Limits = PathLimits })
            : Outcome<IReadOnlyList<FhirPathItem>>.Refused(issues);
    }

    private Issue? Add(IReadOnlyList<FhirPathItem> items, string path, PatchParts parts)
    {
        if (parts.Name is not { } name || !parts.Value.Exists)
        {
            return PatchIssues.NotAPatch("'add' needs the parts 'name' and 'value'.", _where);
        }

        if (Single(items, path) is { } issue)
        {
            return issue;
        }

        if (items[0].Type is not { } type || Container(items[0]) is not { } owner)
        {
            return PatchIssues.DoesNotFit($"Nothing can be added to what '{path}' selects.", _where);
        }

        if (!_values.Member(type, name, parts.Value).TryGetValue(out var member, out var issues) || !_values.Read(member, parts.Value).TryGetValue(out var slot, out issues))
        {
            return issues[0];
        }

        var slots = new PatchSlots(owner, member);
        var isTaken = slots.All.Count > 0 || member.Element.Members.Any(other => owner.IndexOf(other.JsonName) >= 0);
        if (isTaken && !member.Element.IsArray)
        {
            return PatchIssues.DoesNotFit($"'{name}' is there already and does not repeat; replace it instead.", _where);
        }

        slots.All.Add(slot);
        slots.Store();
        return null;
    }

    // The children of a primitive, which are its extensions, stand in its companion.
    private EditNode? Container(in FhirPathItem item)
    {
        if (item.Type!.Kind != FhirTypeKind.Primitive)
        {
            var node = item.Node;
            return !node.IsObject ? null : node.Index == 0 ? _root : Slot(item) is { } place ? place.Slots.All[place.Index].Value : null;
        }

        if (Slot(item) is not { } primitive)
        {
            return null;
        }

        var slot = primitive.Slots.All[primitive.Index];
        var companion = slot.Companion ?? EditNode.NewObject();
        primitive.Slots.All[primitive.Index] = slot with { Companion = companion };
        primitive.Slots.Store();
        return companion;
    }

    private Issue? Delete(IReadOnlyList<FhirPathItem> items, string path)
    {
        // Deleting what is not there is no error: the wish is fulfilled.
        if (items.Count == 0)
        {
            return null;
        }

        if (Single(items, path) is { } issue)
        {
            return issue;
        }

        if (Slot(items[0]) is not { } found)
        {
            return PatchIssues.DoesNotFit($"What '{path}' selects cannot be deleted.", _where);
        }

        found.Slots.All.RemoveAt(found.Index);
        found.Slots.Store();
        RemoveEmpty(found.Place);
        return null;
    }

    // FHIR has no empty elements (R4 §2.6.2): an object that lost its last member goes too.
    private void RemoveEmpty(PatchPlace place)
    {
        if (place.Owner.Count == 0 || place.Open(_root).Members.Count > 0)
        {
            return;
        }

        ResourceNode node = _tree.Root;
        foreach (var step in place.Owner)
        {
            node = step is int index ? Nth(node, index) : node[System.Text.Encoding.UTF8.GetBytes((string)step)];
        }

        if (PatchPlace.Of(node, _definitions) is { } outer)
        {
            var slots = new PatchSlots(outer.Open(_root), outer.Member);
            var isCompanion = outer.Member.Type.Kind == FhirTypeKind.Primitive;
            var rest = isCompanion ? slots.All[outer.Index] with { Companion = null } : default;
            slots.All.RemoveAt(outer.Index);
            if (rest.Value is not null)
            {
                slots.All.Insert(outer.Index, rest);
            }

            slots.Store();
            RemoveEmpty(outer);
        }
    }

    private Issue? Replace(IReadOnlyList<FhirPathItem> items, string path, PatchParts parts)
    {
        if (!parts.Value.Exists)
        {
            return PatchIssues.NotAPatch("'replace' needs the part 'value'.", _where);
        }

        if (Single(items, path) is { } issue)
        {
            return issue;
        }

        if (Slot(items[0]) is not { } found)
        {
            return PatchIssues.DoesNotFit($"What '{path}' selects cannot be replaced.", _where);
        }

        // Another type of a choice has another name in JSON.
        var element = found.Place.Member.Element;
        var name = element.IsChoice ? element.Name : found.Place.Member.JsonName;
        if (!_values.Member(found.Place.OwnerType, name, parts.Value).TryGetValue(out var member, out var issues) || !_values.Read(member, parts.Value).TryGetValue(out var slot, out issues))
        {
            return issues[0];
        }

        if (!ReferenceEquals(member, found.Place.Member))
        {
            found.Slots.All.Clear();
            found.Slots.Store();
            found = found with { Slots = new PatchSlots(found.Place.Open(_root), member) };
            found.Slots.All.Add(slot);
        }

        found.Slots.All[found.Index] = slot;
        found.Slots.Store();
        return null;
    }

    private Issue? Rearrange(IReadOnlyList<FhirPathItem> items, string path, PatchParts parts, bool isMove)
    {
        if (items.Count == 0)
        {
            return PatchIssues.NoTarget(path, _where);
        }

        var first = Slot(items[0]);
        if (first is null || !first.Place.Member.Element.IsArray || first.Slots.All.Count != items.Count || first.Index != 0)
        {
            return PatchIssues.DoesNotFit($"'{path}' must select all of one repeating element.", _where);
        }

        var slots = first.Slots.All;
        if (!isMove)
        {
            if (parts.Index is not (>= 0 and var at) || at > slots.Count || !parts.Value.Exists)
            {
                return PatchIssues.DoesNotFit($"'insert' needs a value and an index from 0 to {slots.Count}.", _where);
            }

            if (!_values.Read(first.Place.Member, parts.Value).TryGetValue(out var slot, out var issues))
            {
                return issues[0];
            }

            slots.Insert(at, slot);
        }
        else
        {
            if (parts.Source is not (>= 0 and var source) || parts.Destination is not (>= 0 and var destination) || source >= slots.Count || destination >= slots.Count)
            {
                return PatchIssues.DoesNotFit($"'move' needs a source and a destination from 0 to {slots.Count - 1}.", _where);
            }

            var moved = slots[source];
            slots.RemoveAt(source);
            slots.Insert(destination, moved);
        }

        first.Slots.Store();
        return null;
    }

    private Issue? Single(IReadOnlyList<FhirPathItem> items, string path) => items.Count switch
    {
        0 => PatchIssues.NoTarget(path, _where),
        1 when items[0].IsElement => null,
        1 => PatchIssues.DoesNotFit($"'{path}' computes a value, and selects no element.", _where),
        _ => PatchIssues.Several(path, _where),
    };

    private FoundSlot? Slot(in FhirPathItem item)
    {
        var node = item.Node.Exists ? item.Node : item.Companion;
        return node.Exists && PatchPlace.Of(node, _definitions) is { } place ? new FoundSlot(place, new PatchSlots(place.Open(_root), place.Member), place.Index) : null;
    }

    private static ResourceNode Nth(ResourceNode array, int index)
    {
        foreach (var child in array.Children)
        {
            if (index-- == 0)
            {
                return child;
            }
        }

        return default;
    }

    private sealed record FoundSlot(PatchPlace Place, PatchSlots Slots, int Index);
}
