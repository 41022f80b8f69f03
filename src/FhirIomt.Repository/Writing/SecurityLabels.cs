using System.Buffers;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Writing;

/// <summary>Labels say how a resource is to be protected, so whoever may not decide about that may add some and takes none away (abuse case 46).</summary>
internal sealed class SecurityLabels(SearchIndexer indexer, IndexPolicy policy)
{
    /// <summary>The resource with the labels that the version before had.</summary>
    public PreparedResource Kept(PreparedResource resource, JsonTree before)
    {
        var lost = Of(before.Root).Where(label => !Of(resource.Tree.Root).Exists(other => MetaChange.Same(label, other))).ToList();
        return lost.Count == 0 ? resource : PreparedResource.Create(resource.Type, MetaChange.Apply(resource.Tree, Labels(lost).Root, removes: false), indexer, policy);
    }

    private static List<ResourceNode> Of(ResourceNode resource)
    {
        var labels = new List<ResourceNode>();
        foreach (var label in resource["meta"u8]["security"u8].Items)
        {
            labels.Add(label);
        }

        return labels;
    }

    private static JsonTree Labels(List<ResourceNode> labels)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("security"u8);
            labels.ForEach(label => label.WriteTo(writer));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).Require();
    }
}
