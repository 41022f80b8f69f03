using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping;

/// <summary>Makes readings of a message: a mapping that somebody wrote, or a decoder of a standard's own format.</summary>
public interface IMessageMapper
{
    /// <summary>Tells which mapping made a reading or put a message in quarantine.</summary>
    string Version { get; }

    /// <param name="envelope">An object with <c>Body</c>; unchanged while a reading is in use.</param>
    MapResult Map(JsonTree envelope, MappingContext context);
}
