using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>Slices of one element.</summary>
/// <param name="start">The element as the base has it.</param>
internal sealed class SliceMerge(SnapshotMerge merge, SnapshotNode target, SnapshotNode start, string path, int nesting)
{
    private const string TypeSlicing = """{"discriminator":[{"type":"type","path":"$this"}],"ordered":false,"rules":"open"}""";
    private const string UrlSlicing = """{"discriminator":[{"type":"value","path":"url"}],"ordered":false,"rules":"open"}""";

    public void Run(SnapshotNode differential)
    {
        EnsureSlicing(differential);
        foreach (var slice in differential.Slices)
        {
            One(slice, slice.Slice!);
        }

        Close(isShortcut: false);
    }

    /// <summary>A differential that names a choice by its type makes a slice of that type.</summary>
    public void RunType(SnapshotNode differential, string type)
    {
        if (differential.Element?.SliceName == type || (differential.Slices is [{ Slice: { } only }] && only == type))
        {
            throw new SnapshotException(SnapshotIssues.NotSliceable(path, type));
        }

        var name = differential.Slices.Count == 1 && differential.Element is null ? differential.Slices[0].Slice! : differential.Element?.SliceName ?? differential.Name;
        var body = differential.Slices.Count == 1 && differential.Element is null ? differential.Slices[0] : differential;
        if (!target.Element!["slicing"].Exists)
        {
            target.Element.SetJson("slicing", TypeSlicing);
        }

        var slice = target.FindSlice(name);
        if (slice is null)
        {
            slice = NewSlice(name);
            SetType(slice.Element!, type);
            target.Slices.Add(slice);
        }

        merge.Apply(slice, body, $"{path}:{name}", nesting + 1);
        Close(isShortcut: true);
    }

    /// <summary>A choice with a type that must be there has no other: it is closed.</summary>
    private void Close(bool isShortcut)
    {
        if (!target.Name.EndsWith("[x]", StringComparison.Ordinal) || target.Element is not { } element || !IsByType(element["slicing"]))
        {
            return;
        }

        var required = target.Slices.Find(slice => slice.Element is { Min: > 0 });
        var isExtension = isShortcut && target.Slices.Count == 1 && element["base"]["path"u8].TextEquals("Extension.value[x]"u8);
        if (required is not null && target.Slices.Count > 1 && target.Slices.TrueForAll(slice => slice.Element!["min"].Exists && !start.Slices.Exists(known => known.Slice == slice.Slice)))
        {
            throw new SnapshotException(SnapshotIssues.WrongCardinality(path, "asks for one type and offers others"));
        }

        if (required is not null)
        {
            element.Set("type", required.Element!["type"]);
            element.SetNumber("min", 1);
        }
        else if (isExtension)
        {
            element.Set("type", target.Slices[0].Element!["type"]);
        }

        if (element["type"].Count == 1 && target.Slices.Count > 0)
        {
            element.SetJson("slicing", TypeSlicing.Replace("open", "closed", StringComparison.Ordinal));
        }
    }

    private static bool IsByType(ResourceNode slicing)
    {
        foreach (var discriminator in slicing["discriminator"u8].Items)
        {
            return discriminator["type"u8].TextEquals("type"u8) && discriminator["path"u8].TextEquals("$this"u8);
        }

        return false;
    }

    private void EnsureSlicing(SnapshotNode differential)
    {
        var element = target.Element!;
        if (element["slicing"].Exists)
        {
            if (target.Name.EndsWith("[x]", StringComparison.Ordinal) && !element["slicing"]["discriminator"u8].Exists)
            {
                element.SetJson("slicing", TypeSlicing.Replace("open", element["slicing"]["rules"u8].AsString() is "closed" or "openAtEnd" ? element["slicing"]["rules"u8].AsString()! : "open", StringComparison.Ordinal));
            }

            return;
        }

        if (target.Name is "extension" or "modifierExtension")
        {
            element.SetJson("slicing", UrlSlicing);
        }
        else if (target.Name.EndsWith("[x]", StringComparison.Ordinal))
        {
            element.SetJson("slicing", TypeSlicing);
        }
        else if (differential.Element?["slicing"].Exists != true && target.Slice is null)
        {
            throw new SnapshotException(SnapshotIssues.NotSliceable(path, differential.Slices[0].Slice!));
        }
    }

    private void One(SnapshotNode differential, string name)
    {
        var slice = target.FindSlice(name);
        if (slice is null && IsByType(target.Element!["slicing"]) && target.Name.EndsWith("[x]", StringComparison.Ordinal) && target.Element.TypeCodes().Any(code => string.Equals(code, name, StringComparison.Ordinal)))
        {
            throw new SnapshotException(SnapshotIssues.NotSliceable(path, name));
        }

        if (slice is null)
        {
            // "a/b" is a slice of the slice a: it starts from it.
            var parent = name.LastIndexOf('/') is > 0 and var slash ? target.FindSlice(name[..slash]) : null;
            slice = NewSlice(name, parent);
            if (target.Name.EndsWith("[x]", StringComparison.Ordinal) && TypeNamedBy(name) is { } type)
            {
                SetType(slice.Element!, type);
            }

            target.Slices.Insert(IndexAfter(parent), slice);
        }

        merge.Apply(slice, differential, $"{path}:{name}", nesting + 1);
    }

    private int IndexAfter(SnapshotNode? parent) => parent is null ? target.Slices.Count : target.Slices.IndexOf(parent) + 1 + target.Slices.Count(known => known.Slice!.StartsWith(parent.Slice + "/", StringComparison.Ordinal));

    // The base has one type only, so its slice must be there whenever the element must.
    private bool IsSingleInBase => !ReferenceEquals(start, target) && target.Name.EndsWith("[x]", StringComparison.Ordinal) && start.Element?["type"].Count == 1;

    private SnapshotNode NewSlice(string name, SnapshotNode? from = null)
    {
        merge.Bases.Spend(from ?? start, path);
        var slice = (from ?? start).Clone(name);
        slice.Element ??= new ElementDraft();
        slice.Element.Remove("slicing");
        slice.Element.SetText("sliceName", name);
        slice.Element.SetNumber("min", IsSingleInBase && start.Element is { } known ? known.Min : 0);
        return slice;
    }

    private string? TypeNamedBy(string slice)
    {
        foreach (var code in target.Element!.TypeCodes())
        {
            if (code.Length > 0 && slice == target.Name[..^3] + char.ToUpperInvariant(code[0]) + code[1..])
            {
                return code;
            }
        }

        return null;
    }

    // A binding of the choice says nothing of a type that has no code.
    private void SetType(ElementDraft element, string code)
    {
        element.SetJson("type", OneType(code));
        if (!SnapshotRules.HasCodes(code))
        {
            element.Remove("binding");
        }
    }

    private string OneType(string code)
    {
        foreach (var type in target.Element!["type"].Items)
        {
            if (type["code"u8].AsString() == code)
            {
                return $"[{type}]";
            }
        }

        return $$"""[{"code":"{{System.Text.Json.JsonEncodedText.Encode(code)}}"}]""";
    }
}
