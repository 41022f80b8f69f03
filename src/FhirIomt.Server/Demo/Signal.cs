using System.Globalization;

namespace FhirIomt.Server.Demo;

/// <summary>Plausible readings over time: the same for the same device and moment, so that a restarted simulator sends nothing that contradicts itself.</summary>
internal static class Signal
{
    /// <summary>How often a device of that kind measures.</summary>
    public static TimeSpan IntervalOf(string kind) => kind switch
    {
        "heart-rate" => TimeSpan.FromSeconds(1),
        "oxygen-saturation" => TimeSpan.FromSeconds(4),
        "blood-pressure" => TimeSpan.FromSeconds(30),
        "glucose" => TimeSpan.FromMinutes(5),
        _ => TimeSpan.FromHours(12),
    };

    /// <summary>The message that the device sends at that moment, in its own shape.</summary>
    public static string Message(DemoDevice device, int patient, DateTimeOffset at)
    {
        var head = $"{{\"deviceId\":\"{device.Identifier}\",\"time\":\"{at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\"";
        var values = device.Kind switch
        {
            "heart-rate" => $"\"heartRate\":{HeartRate(patient, at)}",
            "oxygen-saturation" => $"\"spo2\":{97 + (Noise(patient, at, 3) % 3)}",
            "blood-pressure" => $"\"systolic\":{118 + (6 * patient) + (Noise(patient, at, 4) % 9)},\"diastolic\":{74 + (3 * patient) + (Noise(patient, at, 5) % 6)},\"pulse\":{HeartRate(patient, at)}",
            "glucose" => $"\"glucose\":{Glucose(patient, at)}",
            _ => string.Create(CultureInfo.InvariantCulture, $"\"weightKg\":{62.5m + (9 * patient) + (Noise(patient, at, 6) % 10 / 10m):0.0}"),
        };
        return $"{head},{values}}}";
    }

    private static int HeartRate(int patient, DateTimeOffset at) => 62 + (4 * patient) + (int)(8 * Math.Sin(at.ToUnixTimeSeconds() / 300.0)) + (Noise(patient, at, 1) % 4);

    // Three meals a day, each a rise of an hour and a slow fall.
    private static int Glucose(int patient, DateTimeOffset at)
    {
        var hour = at.UtcDateTime.TimeOfDay.TotalHours;
        var meals = new[] { 7.5, 12.5, 19.0 }.Sum(meal => hour < meal ? 0 : 60 * (hour - meal) * Math.Exp(1 - (hour - meal)));
        return (int)(95 + (12 * patient) + meals) + (Noise(patient, at, 2) % 7);
    }

    private static int Noise(int patient, DateTimeOffset at, int signal) => (int)((uint)HashOf(patient, at.ToUnixTimeSeconds(), signal) % 1000);

    // Not HashCode.Combine: that one differs from process to process.
    private static int HashOf(long patient, long second, long signal)
    {
        var hash = unchecked((ulong)((patient * 73_856_093) ^ (second * 19_349_663) ^ (signal * 83_492_791)) * 0x9E37_79B9_7F4A_7C15);
        return (int)(hash >> 33);
    }
}
