using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>JSON Patch (RFC 6902): all operations or none. What is not touched keeps its bytes.</summary>
public sealed class JsonPatch
{
    // A patch of a whole device history is a few hundred; an operation costs at most one walk over the document.
    private const int MaxOperations = 10_000;

    private readonly JsonLimits _limits;
    private readonly string _where;
    private EditNode _root;
    private long _added;

    private JsonPatch(EditNode root, JsonLimits limits, string where, long added)
    {
        _root = root;
        _limits = limits;
        _where = where;
        _added = added;
    }

    /// <summary>The patched document. Codes IOMT-0320 to IOMT-0324 and IOMT-0327; the expression is the operation, such as <c>[3]</c>.</summary>
    public static Outcome<JsonTree> Apply(JsonTree document, ResourceNode patch, JsonLimits? limits = null)
    {
        limits ??= JsonLimits.Default;
        if (!patch.IsArray)
        {
            return PatchIssues.NotAPatch("it is no array.", "$");
        }

        if (patch.Count > MaxOperations)
        {
            return PatchIssues.TooCostly($"The patch has more than {MaxOperations} operations.", "$");
        }

        var (root, added, number) = (new EditNode(document.Root), 0L, 0);
        foreach (var operation in patch.Children)
        {
            var run = new JsonPatch(root, limits, $"[{number++}]", added);
            if (run.Apply(operation) is { } issue)
            {
                return issue;
            }

            (root, added) = (run._root, run._added);
        }

        return JsonTree.Parse(root.ToBytes(), limits);
    }

    private Issue? Apply(ResourceNode operation)
    {
        if (operation["op"u8].AsString() is not { } name || operation["path"u8].AsString() is not { } text)
        {
            return PatchIssues.NotAPatch("an operation needs 'op' and 'path'.", _where);
        }

        if (JsonPointer.Parse(text) is not { } path)
        {
            return PatchIssues.BadPointer(text, _where);
        }

        switch (name)
        {
            case "add" or "replace" or "test":
                var value = operation["value"u8];
                return !value.Exists ? PatchIssues.NotAPatch($"'{name}' needs 'value'.", _where)
                    : name == "test" ? Test(path, value)
                    : name == "add" ? Add(path, value) : Replace(path, value);
            case "remove":
                return Take(path, out _);
            case "move" or "copy":
                if (operation["from"u8].AsString() is not { } source)
                {
                    return PatchIssues.NotAPatch($"'{name}' needs 'from'.", _where);
                }

                return JsonPointer.Parse(source) is not { } from ? PatchIssues.BadPointer(source, _where) : name == "move" ? Move(from, path) : Copy(from, path);
            default:
                return PatchIssues.UnknownOperation(name, _where, "add, remove, replace, move, copy, test");
        }
    }

    private Issue? Test(JsonPointer path, ResourceNode value)
    {
        if (Find(path) is not { } node)
        {
            return PatchIssues.NoTarget(path.Text, _where);
        }

        return !Frozen(node).TryGetValue(out var tree, out var issues) ? issues[0] : JsonSameness.AreSame(tree.Root, value) ? null : PatchIssues.TestFailed(path.Text, _where);
    }

    private Issue? Add(JsonPointer path, ResourceNode value)
    {
        _added += value.Length;
        return _added > _limits.MaxBytes ? PatchIssues.TooCostly($"The patch adds more than {_limits.MaxBytes} bytes.", _where) : Put(path, new EditNode(value));
    }

    private Issue? Replace(JsonPointer path, ResourceNode value)
    {
        if (path.IsRoot)
        {
            return Add(path, value);
        }

        if (Find(path) is null)
        {
            return PatchIssues.NoTarget(path.Text, _where);
        }

        var parent = Parent(path)!;
        var token = path.Tokens[^1];
        if (parent.IsArray)
        {
            parent.Items[JsonPointer.Index(token, parent.Items.Count)] = new EditNode(value);
        }
        else
        {
            parent.Set(token, new EditNode(value));
        }

        return null;
    }

    private Issue? Move(JsonPointer from, JsonPointer path)
    {
        if (from.Contains(path))
        {
            return PatchIssues.NotAPatch("a value cannot be moved into itself.", _where);
        }

        if (from.Text == path.Text)
        {
            return Find(from) is null ? PatchIssues.NoTarget(from.Text, _where) : null;
        }

        if (Take(from, out var node) is { } missing)
        {
            return missing;
        }

        return Frozen(node!).TryGetValue(out var tree, out var issues) ? Put(path, new EditNode(tree.Root)) : issues[0];
    }

    private Issue? Copy(JsonPointer from, JsonPointer path)
    {
        if (Find(from) is not { } node)
        {
            return PatchIssues.NoTarget(from.Text, _where);
        }

        return Frozen(node).TryGetValue(out var tree, out var issues) ? Add(path, tree.Root) : issues[0];
    }

    // As bytes again: a copy must not change with its original, and neither size nor depth may grow without bound.
    private Outcome<JsonTree> Frozen(EditNode node) => JsonTree.Parse(node.ToBytes(), _limits);

    private Issue? Put(JsonPointer path, EditNode value)
    {
        if (path.IsRoot)
        {
            _root = value;
            return null;
        }

        var token = path.Tokens[^1];
        switch (Parent(path))
        {
            case { IsObject: true } parent:
                parent.Set(token, value);
                return null;
            case { IsArray: true } parent:
                var index = token == "-" ? parent.Items.Count : JsonPointer.Index(token, parent.Items.Count + 1);
                if (index >= 0)
                {
                    parent.Items.Insert(index, value);
                    return null;
                }

                break;
        }

        return PatchIssues.NoTarget(path.Text, _where);
    }

    private Issue? Take(JsonPointer path, out EditNode? taken)
    {
        taken = path.IsRoot ? null : Find(path);
        if (taken is null)
        {
            return PatchIssues.NoTarget(path.Text, _where);
        }

        var parent = Parent(path)!;
        if (parent.IsArray)
        {
            parent.Items.RemoveAt(JsonPointer.Index(path.Tokens[^1], parent.Items.Count));
        }
        else
        {
            parent.Members.RemoveAt(parent.IndexOf(path.Tokens[^1]));
        }

        return null;
    }

    private EditNode? Parent(JsonPointer path) => Find(path.Tokens.AsSpan(0, path.Tokens.Length - 1));

    private EditNode? Find(JsonPointer path) => Find(path.Tokens);

    private EditNode? Find(ReadOnlySpan<string> tokens)
    {
        EditNode? node = _root;
        foreach (var token in tokens)
        {
            node = node switch
            {
                { IsObject: true } => node.Find(token),
                { IsArray: true } => JsonPointer.Index(token, node.Items.Count) is >= 0 and var index ? node.Items[index] : null,
                _ => null,
            };
        }

        return node;
    }
}
