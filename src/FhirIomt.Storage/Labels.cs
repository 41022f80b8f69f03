namespace FhirIomt.Storage;

/// <summary>A profile, tag or security label that some resource had when it was indexed. Whether one has it still, and may be seen, a search says.</summary>
/// <param name="Parameter"><c>_profile</c>, <c>_tag</c> or <c>_security</c>.</param>
/// <param name="System">Empty for a profile, and for a coding without one.</param>
public sealed record StoredLabel(string Parameter, string System, string Value);
