using System.Collections.Concurrent;
using System.Globalization;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>
/// Everything at once: conditional creates that compete, updates, deletions, transactions whose entries refer to one another, device messages, reads. Keeps what was
/// acknowledged, so that it can be looked for.
/// </summary>
internal sealed class MixedLoad
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConcurrentDictionary<int, string> _lastSent = new();
    private int _acknowledged;
    private int _refused;
    private int _unknown;
    private int _reading;

    public Ledger Ledger { get; } = new();

    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>503 with Retry-After: nothing of it is stored.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>503 with IOMT-0908: look before sending again.</summary>
    public int Unknown => Volatile.Read(ref _unknown);

    /// <summary>What no client should ever get.</summary>
    public ConcurrentQueue<string> Unexpected { get; } = [];

    /// <summary>Works until the server is gone or that says so.</summary>
    public async Task WorkAsync(LoadClient client, int worker, int round, Func<bool> isOver)
    {
        for (var number = 0; !isOver(); number++)
        {
            var reply = await StepAsync(client, worker, round, number);
            if (reply.Status == 0)
            {
                return;
            }

            Count(reply);
            if (reply.Status == 503)
            {
                // A client that is told to wait waits; less than it is told, so that the outage gets load.
                await Task.Delay(20);
            }
        }
    }

    /// <summary>What devices do when the line broke: send the same again. It is stored once, whether or not it had been.</summary>
    public async Task ResendAsync(LoadClient client)
    {
        foreach (var body in _lastSent.Values)
        {
            Record(await client.DeviceAsync(body), body);
        }
    }

    private void Count(Reply reply)
    {
        if (reply.Status is >= 200 and < 300)
        {
            Interlocked.Increment(ref _acknowledged);
        }
        else if (reply.IsToRetry)
        {
            Interlocked.Increment(ref _refused);
        }
        else if (reply.IsUnknown)
        {
            Interlocked.Increment(ref _unknown);
        }
        else
        {
            Unexpected.Enqueue($"{reply.Status} {reply.Text}");
        }
    }

    private Task<Reply> StepAsync(LoadClient client, int worker, int round, int number)
    {
        var name = $"r{round}w{worker}n{number}";
        return (number % 6) switch
        {
            // The same name by all workers at about the same time.
            0 => CreateOnceAsync(client, $"r{round}n{number}"),
            1 => UpdateAsync(client, $"own{worker}", (round * 100_000L) + number),
            2 => DeleteAsync(client, $"gone-{name}"),
            3 => TransactAsync(client, name),
            4 => SendAsync(client, worker),
            _ => client.FhirAsync(HttpMethod.Get, $"Observation?code=own&_count=5"),
        };
    }

    private async Task<Reply> CreateOnceAsync(LoadClient client, string name)
    {
        var reply = await client.FhirAsync(HttpMethod.Post, "Patient", Resources.Patient("urn:load", name), ifNoneExist: $"identifier=urn:load|{name}");
        if (reply.Status is 200 or 201 && Ledger.CreatedOnce.GetOrAdd(name, reply.Id!) != reply.Id)
        {
            Unexpected.Enqueue($"If-None-Exist answered two ids for {name}");
        }

        return reply;
    }

    private async Task<Reply> UpdateAsync(LoadClient client, string id, long value)
    {
        var reply = await client.FhirAsync(HttpMethod.Put, $"Observation/{id}", Resources.Observation("own", value, id));
        if (reply.Status is 200 or 201)
        {
            Ledger.Updated[id] = value;
        }

        return reply;
    }

    private async Task<Reply> DeleteAsync(LoadClient client, string id)
    {
        var reply = await client.FhirAsync(HttpMethod.Put, $"Observation/{id}", Resources.Observation("gone", 1, id));
        if (reply.Status != 201)
        {
            return reply;
        }

        Count(reply);
        reply = await client.FhirAsync(HttpMethod.Delete, $"Observation/{id}");
        (reply.Status == 204 ? Ledger.Deleted : reply.IsToRetry ? Ledger.Kept : Ledger.Either).TryAdd(id, true);
        return reply;
    }

    private async Task<Reply> TransactAsync(LoadClient client, string name)
    {
        var reply = await client.FhirAsync(HttpMethod.Post, "", Resources.Transaction(name));
        if (reply.Status == 200)
        {
            Ledger.Transactions.TryAdd(name, true);
        }
        else if (reply.IsToRetry)
        {
            Ledger.RefusedTransactions.TryAdd(name, true);
        }

        return reply;
    }

    private async Task<Reply> SendAsync(LoadClient client, int worker)
    {
        var number = Interlocked.Add(ref _reading, 2);
        var body = _lastSent[worker] = string.Join('\n', Enumerable.Range(number, 2).Select(i => ReceiptTests.HeartRate(Accounts.Device, "72", Iso(Start.AddSeconds(i)))));
        var reply = await client.DeviceAsync(body);
        Record(reply, body);
        return reply;
    }

    private void Record(Reply reply, string body)
    {
        if (reply.Status != 200)
        {
            return;
        }

        foreach (var (receipt, line) in new Answer(200, reply.Text).Receipts.Zip(body.Split('\n')))
        {
            var time = line.Split("\"time\":\"")[1].Split('"')[0];
            if (receipt.Status is not ("stored" or "duplicate") || Ledger.Readings.GetOrAdd(time, receipt.Observations[0]) != receipt.Observations[0])
            {
                Unexpected.Enqueue($"reading of {time}: {receipt.Json.ToJsonString()}");
            }
        }
    }

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>The bodies of the load.</summary>
internal static class Resources
{
    /// <summary>Observations that a transaction adds beside their patient.</summary>
    public const int InTransaction = 3;

    public static string Patient(string system, string value) => $$$"""{"resourceType":"Patient","identifier":[{"system":"{{{system}}}","value":"{{{value}}}"}]}""";

    public static string Observation(string code, long value, string? id = null, string? subject = null, string? identifier = null) => string.Create(CultureInfo.InvariantCulture, $$$"""
        {"resourceType":"Observation",{{{(id is null ? "" : $"\"id\":\"{id}\",")}}}{{{(identifier is null ? "" : $"\"identifier\":[{{\"system\":\"urn:tx\",\"value\":\"{identifier}\"}}],")}}}
        "status":"final","code":{"coding":[{"system":"urn:load","code":"{{{code}}}"}]},{{{(subject is null ? "" : $"\"subject\":{{\"reference\":\"{subject}\"}},")}}}"effectiveDateTime":"2025-06-01","valueInteger":{{{value}}}}
        """);

    public static string Transaction(string name)
    {
        var patient = $$$"""{"fullUrl":"urn:uuid:5b3c9b4e-0c6f-4f0e-9d2c-6a2f1c1f0001","resource":{{{Patient("urn:tx", name)}}},"request":{"method":"POST","url":"Patient"}}""";
        var observation = $$$"""{"resource":{{{Observation("tx", 1, subject: "urn:uuid:5b3c9b4e-0c6f-4f0e-9d2c-6a2f1c1f0001", identifier: name)}}},"request":{"method":"POST","url":"Observation"}}""";
        return $$"""{"resourceType":"Bundle","type":"transaction","entry":[{{string.Join(',', Enumerable.Repeat(observation, InTransaction).Prepend(patient))}}]}""";
    }
}
