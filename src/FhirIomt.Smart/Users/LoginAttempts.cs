using FhirIomt.Storage;

namespace FhirIomt.Smart.Users;

/// <summary>Failed logins under one name, whether or not there is such a user: the answer and the delay are the same.</summary>
internal sealed record LoginAttempts(int Failures, DateTimeOffset Until)
{
    // Five tries are free; then 30 s, 1 min, 2 min … at most 15 min, so that nobody can lock another out for long.
    private const int Free = 5;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(24);

    /// <summary>Counts a try before it is carried out, so that many at once do not get more than one after the other would.</summary>
    public sealed class Begin(string name, DateTimeOffset now) : WriteOperation
    {
        public bool IsAllowed { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            var id = Secrets.Hash(name);
            var before = transaction.FindRecord(RecordKind.LoginAttempts, id) is { } record ? Records.Read(record, Records.Default.LoginAttempts) : new LoginAttempts(0, DateTimeOffset.MinValue);
            IsAllowed = before.Until <= now;
            if (IsAllowed)
            {
                transaction.PutRecord(Records.Of(RecordKind.LoginAttempts, id, new LoginAttempts(before.Failures + 1, now + Delay(before.Failures + 1)), Records.Default.LoginAttempts, now + Remembered));
            }
        }
    }

    public static Change Forget(string name) => new([], (RecordKind.LoginAttempts, Secrets.Hash(name)));

    private static TimeSpan Delay(int failures) =>
        failures < Free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(LongestDelay.TotalSeconds, FirstDelay.TotalSeconds * Math.Pow(2, failures - Free)));
}
