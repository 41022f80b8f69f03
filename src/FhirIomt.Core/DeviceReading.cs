namespace FhirIomt.Core;

/// <summary>
/// One message as a device or its vendor sent it, in the envelope that mappings are evaluated against:
/// a JSON object with <c>Body</c>, and where known <c>Properties</c> and <c>SystemProperties</c>.
/// </summary>
/// <param name="Index">Position in the request, from 0.</param>
/// <param name="Envelope">UTF-8 JSON, checked to parse.</param>
public sealed record DeviceReading(int Index, ReadOnlyMemory<byte> Envelope);
