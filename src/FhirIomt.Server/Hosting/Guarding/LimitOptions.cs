namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>
/// Settings of section <c>Limits</c>: requests per second that somebody may sustain; ten times that at once. 0 takes one limit away. They keep a flood from taking the
/// server from the others. As they come they lie where the server itself ends on two cores (docs/performance.md: 20,000 reads, 10,000 messages in a second), so that no
/// honest load test or bulk pull meets them; whoever knows the installation sets them lower.
/// </summary>
internal sealed class LimitOptions
{
    private const int Highest = 1_000_000;

    /// <summary>All limits on requests, on or off. Benchmarks turn them off.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>One address, whoever speaks from it: all apps of a hospital may share one.</summary>
    public int PerAddress { get; set; } = 50_000;

    /// <summary>Signing in, tokens and forms from one address. 1,000 people at a change of shift, within a minute, with 6 requests each make 100; twice that. Guessing a password is slowed down by the account itself.</summary>
    public int SignInPerAddress { get; set; } = 200;

    /// <summary>One client, all its people together. A backend that pulls everything reads as fast as the server answers.</summary>
    public int PerClient { get; set; } = 50_000;

    /// <summary>One person. An app starts with some 10 requests and refreshes with 5; twenty windows that start within a second make 200.</summary>
    public int PerUser { get; set; } = 200;

    /// <summary>One device's or vendor's credential, in POSTs; one holds up to 10,000 messages. A gateway may bring those of 20,000 devices.</summary>
    public int PerSender { get; set; } = 10_000;

    /// <summary>The longest that a request may take; 1 second to 1 hour. A transaction of thousands of entries takes seconds.</summary>
    public TimeSpan RequestTime { get; set; } = TimeSpan.FromMinutes(5);

    public IEnumerable<string> Problems()
    {
        foreach (var (name, value) in ((string, int)[])[(nameof(PerAddress), PerAddress), (nameof(SignInPerAddress), SignInPerAddress), (nameof(PerClient), PerClient), (nameof(PerUser), PerUser), (nameof(PerSender), PerSender)])
        {
            if (value is < 0 or > Highest)
            {
                yield return $"Limits:{name} must be from 0 (no limit) to {Highest}.";
            }
        }

        if (RequestTime < TimeSpan.FromSeconds(1) || RequestTime > TimeSpan.FromHours(1))
        {
            yield return "Limits:RequestTime must be from 00:00:01 to 01:00:00.";
        }
    }
}
