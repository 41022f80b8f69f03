using FhirIomt.Storage;

namespace FhirIomt.Smart.Users;

/// <summary>That somebody known to another issuer is a user here: by its iss and sub, kept as a hash.</summary>
/// <param name="User">The user name.</param>
internal sealed record UserLink(string User)
{
    public static string IdOf(string issuer, string subject) => Secrets.Hash($"{issuer.Length}:{issuer}{subject}");

    public StoredRecord ToRecord(string issuer, string subject) => Records.Of(RecordKind.UserLink, IdOf(issuer, subject), this, Records.Default.UserLink);
}
