using System.Globalization;

namespace FhirIomt.Bench;

/// <summary>CPU time of the server and of the private PostgreSQL: unlike requests a second it does not depend on what else the machine does.</summary>
internal sealed class CpuClock(RunningServer server)
{
    private const double TicksPerSecond = 100;

    private readonly TimeSpan _server = ServerTime(server);
    private readonly double _engine = EngineSeconds();

    /// <summary>Microseconds since this clock was made: of the server, and of all processes of PostgreSQL.</summary>
    public (double Server, double Engine) Elapsed() => ((ServerTime(server) - _server).TotalMicroseconds, (EngineSeconds() - _engine) * 1e6);

    private static TimeSpan ServerTime(RunningServer server)
    {
        server.Process.Refresh();
        return server.Process.TotalProcessorTime;
    }

    // Of a process of Linux: fields 14 and 15 are its own time, 16 and 17 that of its ended children.
    private static double EngineSeconds()
    {
        if (BenchCluster.ProcessId is not { } parent)
        {
            return 0;
        }

        var ticks = 0L;
        foreach (var folder in Directory.GetDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                var fields = File.ReadAllText(Path.Combine(folder, "stat")).Split(") ")[^1].Split(' ');
                long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
                var isParent = Path.GetFileName(folder) == $"{parent}";
                ticks += isParent ? Field(14) + Field(15) + Field(16) + Field(17) : Field(4) == parent ? Field(14) + Field(15) : 0;
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return ticks / TicksPerSecond;
    }
}
