using FhirIomt.Access;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Users;

/// <summary>A person who can log in.</summary>
/// <param name="Id">The sub of id tokens: stable, says nothing about the person.</param>
/// <param name="Name">What they log in with, in lower case; the record's id.</param>
/// <param name="Stamp">Changes when everything given out so far must end: a new password, a disabled account.</param>
internal sealed record UserAccount(string Id, string Name, UserRole Role, string? FhirUser, string PasswordHash, string Stamp, bool Disabled = false)
{
    public AccessUser ToAccessUser() => new(Id, Role, FhirUser);

    public StoredRecord ToRecord() => Records.Of(RecordKind.User, Name, this, Records.Default.UserAccount);

    public static UserAccount FromRecord(StoredRecord record) => Records.Read(record, Records.Default.UserAccount);
}
