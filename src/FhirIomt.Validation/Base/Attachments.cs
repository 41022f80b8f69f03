using System.Buffers.Text;

namespace FhirIomt.Validation.Base;

/// <summary>The data of an Attachment.</summary>
internal static class Attachments
{
    /// <summary>The bytes that a base64 text stands for; null when it is not base64.</summary>
    public static decimal? SizeOf(string base64) => Base64.IsValid(base64, out var length) ? length : null;
}
