using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>A resource and, when it is contained, the one that holds it: what <c>%resource</c> and <c>%rootResource</c> mean.</summary>
/// <param name="container">The resource that holds this one as <c>contained</c>.</param>
/// <param name="around">The resource that holds this one otherwise: the Bundle of an entry, Parameters.</param>
internal sealed class ResourceScope(FhirDefinitions definitions, ResourceNode resource, ResourceScope? container, ResourceScope? around = null, IScopeServices? services = null)
{
    private FhirPathEnvironment? _environment;
    private Dictionary<string, ResourceNode>? _contained;
    private HashSet<string>? _mentions;
    private BundleScope? _entries;
    private HashSet<string>? _elementIds;

    public ResourceNode Resource { get; } = resource;

    /// <summary>The resource whose <c>contained</c> a <c>#id</c> refers to.</summary>
    public ResourceNode Root => container?.Root ?? Resource;

    public bool IsContained => container is not null;

    /// <summary>The scope of the outermost resource of this text that is about one subject: the container of a contained resource.</summary>
    private ResourceScope Outer => container?.Outer ?? this;

    /// <summary>The entries beside this resource, when it stands in a Bundle; null otherwise.</summary>
    public BundleScope? Bundle => Outer.Around?.OwnEntries;

    /// <summary>The fullUrl of the entry in which the resource stands.</summary>
    public string? FullUrl => Bundle?.FullUrlOf(Root);

    private ResourceScope? Around => around;

    private BundleScope? OwnEntries => _entries ??= Resource["resourceType"u8].TextEquals("Bundle"u8) ? new BundleScope(Resource) : null;

    /// <summary>The scope of a resource that <see cref="Resolve"/> found.</summary>
    public ResourceScope Of(ResourceNode found)
    {
        foreach (var contained in Root["contained"u8].Items)
        {
            if (contained == found)
            {
                return new ResourceScope(definitions, found, Outer, around: null, services);
            }
        }

        return found == Root ? Outer : new ResourceScope(definitions, found, container: null, Outer.Around ?? this, services);
    }

    /// <summary>The resource that a literal reference means: contained, or in the same Bundle; nothing when it is neither.</summary>
    public ResourceNode Resolve(ResourceNode reference)
    {
        var text = reference.ContentSpan;
        if (!reference.IsString || text.IsEmpty)
        {
            return default;
        }

        if (text[0] == (byte)'#')
        {
            return text.Length == 1 ? Root : Contained(text[1..]);
        }

        return Bundle is { } entries && entries.Find(reference.AsString()!, FullUrl) is [var found, ..] ? found : default;
    }

    // Made when a FHIRPath invariant first runs; a device Observation runs none.
    public FhirPathEnvironment Environment => _environment ??= Expressions(resolvesToType: true);

    /// <param name="resolvesToType">What cannot be resolved still says its type, as R4's own invariants need it.</param>
    public FhirPathEnvironment Expressions(bool resolvesToType, FhirPathLimits? limits = null) => new()
    {
        Limits = limits ?? FhirPathLimits.Default,
        Resource = FhirPathItem.Resource(Resource, definitions),
        RootResource = FhirPathItem.Resource(Root, definitions),
        Resolve = text => Bundle?.Find(text, FullUrl) is [var found, ..] ? FhirPathItem.Resource(found, definitions) : default,
        MemberOf = services is null ? null : services.MemberOf,
        ConformsTo = services is null ? null : (item, profile) => services.ConformsTo(this, item, profile),
        HtmlChecks = static item => Narrative.XhtmlCheck.Find(item.Node.AsString() ?? "") is null,
        ResolvesToType = resolvesToType,
    };

    /// <summary>The contained resource of that id (JSON text without the <c>#</c>), or nothing.</summary>
    public ResourceNode Contained(ReadOnlySpan<byte> id)
    {
        if (container is not null)
        {
            return container.Contained(id);
        }

        _contained ??= ReadContained();
        return _contained.GetValueOrDefault(Encoding.UTF8.GetString(id));
    }

    /// <summary>False when the resource has an element with that id already.</summary>
    public bool AddElementId(ResourceNode id) => (_elementIds ??= new HashSet<string>(StringComparer.Ordinal)).Add(id.AsString() ?? "");

    /// <summary>Whether some string of the resource is <c>#id</c>. Read once: a search for each contained resource would cost their product.</summary>
    public bool Mentions(string id)
    {
        if (_mentions is null)
        {
            _mentions = new HashSet<string>(StringComparer.Ordinal);
            CollectMentions(Resource, _mentions);
        }

        return _mentions.Contains(id);
    }

    private static void CollectMentions(ResourceNode node, HashSet<string> mentions)
    {
        if (node.IsString && node.ContentSpan is [(byte)'#', ..])
        {
            mentions.Add(node.AsString()![1..]);
        }
        else if (node.IsString && node.NameSpan.SequenceEqual("div"u8))
        {
            CollectLinks(node.AsString()!, mentions);
        }

        foreach (var child in node.Children)
        {
            CollectMentions(child, mentions);
        }
    }

    // A narrative shows a contained image by src="#id".
    private static void CollectLinks(string xhtml, HashSet<string> mentions)
    {
        for (var at = xhtml.IndexOf("=\"#", StringComparison.Ordinal); at >= 0; at = xhtml.IndexOf("=\"#", at + 3, StringComparison.Ordinal))
        {
            var end = xhtml.IndexOf('"', at + 3);
            if (end > 0)
            {
                mentions.Add(xhtml[(at + 3)..end]);
            }
        }
    }

    private Dictionary<string, ResourceNode> ReadContained()
    {
        var contained = new Dictionary<string, ResourceNode>(StringComparer.Ordinal);
        foreach (var entry in Resource["contained"u8].Items)
        {
            contained.TryAdd(entry["id"u8].AsString() ?? "", entry);
        }

        return contained;
    }
}
