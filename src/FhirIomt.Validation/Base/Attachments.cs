using System.Buffers.Text;
using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>The data of an Attachment and the size it states (FHIR R4 §2.24.0.3).</summary>
internal static class Attachments
{
    /// <summary>The bytes that a base64 text stands for; null when it is not base64.</summary>
    public static int? SizeOf(ReadOnlySpan<byte> base64) => Base64.IsValid(base64, out var length) ? length : null;

    public static void Run(ValidationRun run, ResourceNode attachment)
    {
        if (attachment["data"u8] is { IsString: true } data && long.TryParse(attachment["size"u8].AsText(), CultureInfo.InvariantCulture, out var stated) && SizeOf(data.ContentSpan) is { } actual && actual != stated)
        {
            run.Add(ValidationIssues.WrongSize, attachment, $"The attachment states {stated} bytes and holds {actual}.");
        }
    }
}

/// <summary>An Identifier whose system says that its value is a URI (FHIR R4 §2.24.0.9).</summary>
internal static class UriIdentifiers
{
    public static void Run(ValidationRun run, ResourceNode identifier)
    {
        if (identifier["system"u8].TextEquals("urn:ietf:rfc:3986"u8) && identifier["value"u8] is { IsString: true } value && !value.ContentSpan.Contains((byte)':'))
        {
            run.Add(Conformance.ConformanceIssues.BadIdentifier, identifier, "With the system urn:ietf:rfc:3986 the value is a whole URI.");
        }
    }
}
