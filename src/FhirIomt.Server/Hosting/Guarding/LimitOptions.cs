namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>
/// Settings of section <c>Limits</c>: requests per second that somebody may sustain; ten times that at once. 0 takes one limit away. They keep one party from taking the
/// server from the others; they are no measure of what the server can do.
/// </summary>
internal sealed class LimitOptions
{
    private const int Highest = 1_000_000;

    /// <summary>All limits on requests, on or off. Benchmarks turn them off.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>One address, whoever speaks from it. A hospital behind one: 2,000 open apps that refresh every 10 s with 5 requests each make 1,000; twice that.</summary>
    public int PerAddress { get; set; } = 2_000;

    /// <summary>Signing in, tokens and forms from one address. 1,000 people at a change of shift, within five minutes, with 6 requests each make 20; twice that, for the apps' refreshes.</summary>
    public int SignInPerAddress { get; set; } = 40;

    /// <summary>One client, all its people together. A backend that asks for 100,000 patients once in 5 minutes makes 333; three times that.</summary>
    public int PerClient { get; set; } = 1_000;

    /// <summary>One person. An app starts with some 10 requests and refreshes with 5; twenty windows that start within a second make 200 at once, which is what 20 allow.</summary>
    public int PerUser { get; set; } = 20;

    /// <summary>One device's or vendor's credential. 20,000 devices that send each minute, each reading in a POST of its own, make 333; three times that. A POST holds up to 10,000 messages.</summary>
    public int PerSender { get; set; } = 1_000;

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
