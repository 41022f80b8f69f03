using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Tokens;

/// <summary>New tokens of a grant, made before the transaction that decides whether they come to be.</summary>
internal sealed record FreshTokens(string Access, string Refresh)
{
    public void Write(IWriteTransaction transaction, Grant grant, IReadOnlyList<string> scopes, DateTimeOffset now)
    {
        var body = new AccessTokenBody(grant.ClientId, string.Join(' ', scopes), grant.Id, now);
        transaction.PutRecord(Records.Of(RecordKind.Token, Secrets.Hash(Access), body, Records.Default.AccessTokenBody, now + AccessTokens.PersonLifetime));
        transaction.PutRecord(grant.ToRecord(grant.End(now)));
        if (grant.IsOffline() || grant.IsOnline())
        {
            transaction.PutRecord(Records.Of(RecordKind.RefreshToken, Secrets.Hash(Refresh), new RefreshToken(grant.Id, grant.ClientId), Records.Default.RefreshToken, grant.End(now)));
        }
    }
}

/// <summary>A code becomes tokens, once. All of it is decided inside the transaction, so of two at once one wins, on any node.</summary>
internal sealed class RedeemCode(string code, string clientId, string redirectUri, string verifier, FreshTokens fresh, DateTimeOffset now) : WriteOperation
{
    public (Grant Grant, UserAccount User)? Redeemed { get; private set; }

    public override void Run(IWriteTransaction transaction)
    {
        Redeemed = null;
        var id = Secrets.Hash(code);

        // Another client learns nothing and ends nothing: otherwise whoever sees a code could end somebody's access.
        if (transaction.FindRecord(RecordKind.Code, id) is not { } record || Records.Read(record, Records.Default.IssuedCode) is var issued && issued.ClientId != clientId)
        {
            return;
        }

        if (issued.IsUsed)
        {
            Revocations.EndGrant(transaction, issued.Grant, now);
            return;
        }

        if (issued.Until <= now || issued.RedirectUri != redirectUri || !Proves(issued.Challenge) || Grant.Find(transaction, issued.Grant) is not { } found)
        {
            return;
        }

        transaction.PutRecord(Records.Of(RecordKind.Code, id, issued with { IsUsed = true }, Records.Default.IssuedCode, record.ExpiresAt));
        fresh.Write(transaction, found.Grant, found.Grant.Scopes, now);
        Redeemed = found;
    }

    private bool Proves(string challenge) => Secrets.Same(challenge, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
}

/// <summary>A refresh token becomes the next one, once; a used one that comes again ends all of its grant (RFC 9700 §4.14.2).</summary>
/// <param name="narrowed">The scopes for this access token, of those granted; null when more is asked for than was granted.</param>
internal sealed class RotateRefresh(string token, string clientId, Func<Grant, IReadOnlyList<string>?> narrowed, FreshTokens fresh, DateTimeOffset now) : WriteOperation
{
    public (Grant Grant, UserAccount User)? Rotated { get; private set; }

    public IReadOnlyList<string> Scopes { get; private set; } = [];

    public bool IsTooWide { get; private set; }

    public override void Run(IWriteTransaction transaction)
    {
        (Rotated, IsTooWide) = (null, false);
        var id = Secrets.Hash(token);
        if (transaction.FindRecord(RecordKind.RefreshToken, id) is not { } record || Records.Read(record, Records.Default.RefreshToken) is var known && known.ClientId != clientId)
        {
            return;
        }

        if (known.IsUsed)
        {
            Revocations.EndGrant(transaction, known.Grant, now);
            return;
        }

        if (Grant.Find(transaction, known.Grant) is not { } found)
        {
            return;
        }

        if (narrowed(found.Grant) is not { } scopes)
        {
            IsTooWide = true;
            return;
        }

        transaction.PutRecord(Records.Of(RecordKind.RefreshToken, id, known with { IsUsed = true }, Records.Default.RefreshToken, found.Grant.End(now)));
        fresh.Write(transaction, found.Grant, scopes, now);
        (Rotated, Scopes) = (found, scopes);
    }
}

/// <summary>RFC 7009: a refresh token ends its whole grant, an access token itself; of another client nothing.</summary>
internal sealed class RevokeToken(string token, string clientId, DateTimeOffset now) : WriteOperation
{
    public override void Run(IWriteTransaction transaction)
    {
        var id = Secrets.Hash(token);
        if (transaction.FindRecord(RecordKind.RefreshToken, id) is { } refresh && Records.Read(refresh, Records.Default.RefreshToken) is var known && known.ClientId == clientId)
        {
            Revocations.EndGrant(transaction, known.Grant, now);
        }
        else if (transaction.FindRecord(RecordKind.Token, id) is { } access && Records.Read(access, Records.Default.AccessTokenBody).ClientId == clientId)
        {
            transaction.DeleteRecord(RecordKind.Token, id);
            transaction.PutRecord(Revocations.Of(id, now));
        }
    }
}
