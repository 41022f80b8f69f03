namespace FhirIomt.Smart;

/// <summary>Settings of the authorization server: section <c>Auth</c>.</summary>
public sealed class SmartOptions
{
    /// <summary>256 bits in base64 that encrypt the signing keys in the store. Empty: they lie there as they are, protected as the store is.</summary>
    public string? KeyEncryptionKey { get; set; }

    /// <summary>A CSS file in place of the built-in look of the login pages.</summary>
    public string? StyleFile { get; set; }

    public IEnumerable<string> Problems()
    {
        if (!string.IsNullOrEmpty(KeyEncryptionKey) && (!Convert.TryFromBase64String(KeyEncryptionKey, new byte[KeyEncryptionKey.Length], out var length) || length != 32))
        {
            yield return "Auth:KeyEncryptionKey must be 32 bytes in base64, such as 'openssl rand -base64 32' prints.";
        }

        if (!string.IsNullOrEmpty(StyleFile) && !File.Exists(StyleFile))
        {
            yield return "Auth:StyleFile must be a CSS file that is there.";
        }
    }
}
