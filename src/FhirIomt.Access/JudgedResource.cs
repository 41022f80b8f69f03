using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>A resource before the check on what leaves. Most predicates ask whose it is and whether it carries labels; a tree is made only for those that need one.</summary>
internal sealed class JudgedResource
{
    private readonly string? _serverBase;
    private readonly StoredResource? _stored;
    private JsonTree? _tree;
    private ResourceGlance? _glance;

    public JudgedResource(string type, JsonTree tree, string? serverBase) => (Type, _tree, _serverBase) = (type, tree, serverBase);

    public JudgedResource(StoredResource stored, string? serverBase) => (Type, _stored, _serverBase) = (stored.Type, stored, serverBase);

    public string Type { get; }

    public JsonTree Tree => _tree ??= JsonTree.Parse(_stored!.Body).Require();

    /// <summary>As <see cref="PatientCompartment.OwnerOf"/> has it.</summary>
    public string? Owner => Glance.Owner;

    /// <summary>False when the resource certainly has no value for the parameter.</summary>
    public bool MayHave(string parameter) => parameter is not ("_security" or "_tag") || Glance.HasLabels;

    private ResourceGlance Glance => _glance ??= _stored is { } stored ? Glances.Of(stored, _serverBase) : Glances.Of(Type, Tree, _serverBase);
}
