namespace FhirIomt.Mapping.Templates;

/// <summary>The device half of a mapping.</summary>
/// <param name="TimeZone">The zone in which the mapping declares that times without zone are meant.</param>
/// <param name="Defects">The ways of the connector that the mapping asks for.</param>
internal sealed record DeviceMapping(IReadOnlyList<ContentTemplate> Templates, TimeZoneInfo? TimeZone, ConnectorDefects Defects);
