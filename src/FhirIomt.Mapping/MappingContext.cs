namespace FhirIomt.Mapping;

/// <summary>What is known about a message besides its text.</summary>
/// <param name="DeviceTimeZone">The zone that the device is registered with, if any; it comes before the zone that the mapping declares.</param>
/// <param name="Enqueued">When the server took the message in.</param>
public sealed record MappingContext(TimeZoneInfo? DeviceTimeZone, DateTimeOffset Enqueued);
