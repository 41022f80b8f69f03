using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>What a Bundle asks of its entries beyond bdl-1 to bdl-12: full URLs (FHIR R4 §2.36.4), and a document's own content (§2.5).</summary>
internal sealed class BundleCheck(FhirDefinitions definitions) : IResourceCheck
{
    public void Run(ValidationRun run, ResourceNode resource, ResourceScope scope)
    {
        var type = resource["type"u8];
        foreach (var entry in resource["entry"u8].Items)
        {
            CheckFullUrl(run, entry, isFree: type.TextEquals("transaction"u8) || type.TextEquals("batch"u8) || type.TextEquals("transaction-response"u8) || type.TextEquals("batch-response"u8));
        }

        if (type.TextEquals("document"u8))
        {
            new DocumentCheck(run, resource).Run();
        }
    }

    private void CheckFullUrl(ValidationRun run, ResourceNode entry, bool isFree)
    {
        var resource = entry["resource"u8];
        if (entry["fullUrl"u8].AsString() is not { } fullUrl)
        {
            if (!isFree && resource.Exists && !entry["search"u8]["mode"u8].TextEquals("outcome"u8))
            {
                run.Add(ValidationIssues.BadFullUrl, entry, "An entry has a fullUrl, except in transactions, batches and their responses.");
            }

            return;
        }

        if (!BundleScope.IsAbsolute(fullUrl))
        {
            run.Add(ValidationIssues.BadFullUrl, entry, "The fullUrl is not absolute.");
        }
        else if (resource.IsObject && IsRestful(fullUrl, out var typeAndId) && !isFree)
        {
            var id = resource["id"u8].AsString();
            if (id is null)
            {
                run.Add(ValidationIssues.BadFullUrl, entry, "The fullUrl is that of a resource on a server, but the resource has no id.");
            }
            else if (typeAndId != $"{resource["resourceType"u8].AsString()}/{id}")
            {
                run.Add(ValidationIssues.BadFullUrl, entry, $"The fullUrl does not end with the resource's type and id.");
            }
        }
    }

    private bool IsRestful(string fullUrl, out string typeAndId)
    {
        typeAndId = BundleScope.BaseOf(fullUrl) is { } root ? BundleScope.SplitVersion(fullUrl).Target[root.Length..] : "";
        return typeAndId.Length > 0 && definitions.IsResourceType(typeAndId[..typeAndId.IndexOf('/')]);
    }
}

/// <summary>A document holds what its Composition refers to, and nothing that does not belong to it (FHIR R4 §2.5.1).</summary>
internal sealed class DocumentCheck(ValidationRun run, ResourceNode bundle)
{
    private readonly BundleScope _entries = new(bundle);
    private readonly Dictionary<int, List<int>> _links = [];

    public void Run()
    {
        var composition = bundle["entry"u8].First()["resource"u8];
        if (!composition["resourceType"u8].TextEquals("Composition"u8))
        {
            return;
        }

        Needed(composition);
        foreach (var entry in bundle["entry"u8].Items)
        {
            if (entry["resource"u8] is { IsObject: true } resource)
            {
                Link(resource, resource);
            }
        }

        var reached = Reach(composition.Index);
        foreach (var entry in bundle["entry"u8].Items)
        {
            if (entry["resource"u8] is { IsObject: true } resource && !reached.Contains(resource.Index))
            {
                run.Add(ValidationIssues.Unreachable, entry, "Nothing in the document refers to this entry, and it refers to nothing that the document holds.");
            }
        }
    }

    // What the Composition refers to by itself is part of the document; what lies on a server of its own may stay there.
    private void Needed(ResourceNode node)
    {
        if (node["reference"u8] is { IsString: true } reference && reference.AsString() is { Length: > 0 } text && text[0] != '#')
        {
            var found = _entries.Find(text, _entries.FullUrlOf(Composition));
            if (found.Count == 0 && !text.StartsWith("http", StringComparison.Ordinal))
            {
                run.Add(ValidationIssues.NotInBundle, node, reference, _entries.HasTypeAndId(text)
                    ? "The document has an entry with that type and id, but its fullUrl does not match the reference."
                    : "The document has no entry that the reference means.");
            }
        }

        foreach (var child in node.Children)
        {
            if (!child.NameSpan.SequenceEqual("contained"u8) && !child.NameSpan.SequenceEqual("extension"u8) && child.Kind <= NodeKind.Array)
            {
                Needed(child);
            }
        }
    }

    private ResourceNode Composition => bundle["entry"u8].First()["resource"u8];

    private void Link(ResourceNode resource, ResourceNode node)
    {
        // Markdown and narrative may link too, as may a Binary's or an attachment's url.
        if (node.IsString && node.ContentSpan.Length is > 2 and < 2048 && node.NameSpan is var name && (name.SequenceEqual("reference"u8) || name.SequenceEqual("url"u8) || name.SequenceEqual("valueUrl"u8) || name.SequenceEqual("valueUri"u8)))
        {
            foreach (var target in _entries.Find(node.AsString()!, _entries.FullUrlOf(resource)))
            {
                Both(resource.Index, target.Index);
            }
        }

        foreach (var child in node.Children)
        {
            Link(resource, child);
        }
    }

    private void Both(int one, int other)
    {
        (_links.TryGetValue(one, out var from) ? from : _links[one] = []).Add(other);
        (_links.TryGetValue(other, out var to) ? to : _links[other] = []).Add(one);
    }

    private HashSet<int> Reach(int start)
    {
        var reached = new HashSet<int> { start };
        var waiting = new Queue<int>([start]);
        while (waiting.TryDequeue(out var next))
        {
            foreach (var other in _links.GetValueOrDefault(next) ?? [])
            {
                if (reached.Add(other))
                {
                    waiting.Enqueue(other);
                }
            }
        }

        return reached;
    }
}
