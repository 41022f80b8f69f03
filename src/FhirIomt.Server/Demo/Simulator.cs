using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace FhirIomt.Server.Demo;

/// <summary>
/// The demo's devices: each sends its own messages with its own credential over HTTP, as real ones do. First the last day, then live; one line on the
/// console tells how it goes.
/// </summary>
internal sealed class Simulator(DemoWorld world, string root, HttpClient http, TimeProvider time)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan History = TimeSpan.FromHours(24);

    // Of the past day, one reading in that many of what is measured every few seconds.
    private const int HistoryThinning = 60;

    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var start = time.GetUtcNow();
        await EachDeviceAsync((device, patient) => SendAsync(device, patient, Past(device, start), cancellationToken)).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Tick, time);
        var last = start;
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            var now = time.GetUtcNow();
            var since = last;
            await EachDeviceAsync((device, patient) => SendAsync(device, patient, Moments(Signal.IntervalOf(device.Kind), since, now), cancellationToken)).ConfigureAwait(false);
            last = now;
            Progress(now - start);
        }
    }

    private static IEnumerable<DateTimeOffset> Past(DemoDevice device, DateTimeOffset until)
    {
        var interval = Signal.IntervalOf(device.Kind);
        return Moments(interval < TimeSpan.FromMinutes(1) ? interval * HistoryThinning : interval, until - History, until);
    }

    /// <summary>The moments of a device's own clock after one time up to another.</summary>
    private static IEnumerable<DateTimeOffset> Moments(TimeSpan interval, DateTimeOffset after, DateTimeOffset until)
    {
        for (var ticks = (after.UtcTicks / interval.Ticks) + 1; ticks * interval.Ticks <= until.UtcTicks; ticks++)
        {
            yield return new DateTimeOffset(ticks * interval.Ticks, TimeSpan.Zero);
        }
    }

    private async Task EachDeviceAsync(Func<DemoDevice, int, Task> send)
    {
        for (var patient = 0; patient < world.Patients.Count; patient++)
        {
            foreach (var device in world.Patients[patient].Devices)
            {
                await send(device, patient).ConfigureAwait(false);
            }
        }
    }

    private async Task SendAsync(DemoDevice device, int patient, IEnumerable<DateTimeOffset> moments, CancellationToken cancellationToken)
    {
        var body = string.Join('\n', moments.Select(moment => Signal.Message(device, patient, moment)));
        if (body.Length == 0)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, $"{root}/devices/messages") { Content = new StringContent(body, Encoding.UTF8, "application/x-ndjson") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.Credential);
        try
        {
            using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            using var answer = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            foreach (var message in response.IsSuccessStatusCode ? answer.RootElement.GetProperty("messages").EnumerateArray() : default)
            {
                Count(message.GetProperty("status").GetString()!);
            }
        }
        catch (HttpRequestException)
        {
            Count("not sent");
        }
    }

    private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    private void Progress(TimeSpan running)
    {
        var text = $"{running:hh\\:mm\\:ss}  " + string.Join("  ", _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"));
        if (!Console.IsOutputRedirected)
        {
            Console.Write($"\r{text}   ");
        }
        else if ((int)running.TotalSeconds % 10 == 0)
        {
            Console.WriteLine(text);
        }
    }
}
