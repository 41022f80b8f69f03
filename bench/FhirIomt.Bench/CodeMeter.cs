using System.Diagnostics;

namespace FhirIomt.Bench;

/// <summary>
/// Measures code on one thread by the CPU time of the process, collection included: what other programs take of the machine does not count.
/// Answers the median of the runs, in items for a second of CPU.
/// </summary>
/// <param name="only">When given, only figures whose name contains it.</param>
internal sealed class CodeMeter(Report report, bool quick, string? only)
{
    public Report Report => report;

    public bool IsQuick => quick;

    public bool Wants(string name) => only is null || name.Contains(only, StringComparison.OrdinalIgnoreCase);

    /// <param name="items">How many items one call of <paramref name="work"/> does.</param>
    public double Rate(string name, Func<object?> work, string? budget = null, (string Name, double Value)? floor = null, int items = 1)
    {
        if (!Wants(name))
        {
            return 0;
        }

        var seconds = quick ? 0.2 : 1.0;
        WarmUp(work, items);
        var runs = Enumerable.Range(0, quick ? 3 : 5).Select(_ => Repeat(work, seconds, items)).ToList();
        report.Add(name, "/s of CPU", runs, floor?.Name, floor?.Value, budget);
        return runs.Order().ElementAt(runs.Count / 2);
    }

    /// <summary>Bytes allocated by one call, after the first calls have filled what is kept.</summary>
    public void Allocation(string name, Func<object?> work, string? budget = null)
    {
        if (!Wants(name))
        {
            return;
        }

        Repeat(work, 0.05, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 256; round++)
        {
            work();
        }

        report.Add(name, "B", [(GC.GetAllocatedBytesForCurrentThread() - before) / 256.0], budget: budget);
    }

    // The compiler's second pass runs beside the code, 100 ms after it was called often enough; its CPU must not count.
    private static void WarmUp(Func<object?> work, int items)
    {
        for (var round = 0; round < 4; round++)
        {
            Repeat(work, 0.25, items);
            Thread.Sleep(150);
        }
    }

    private static double Repeat(Func<object?> work, double seconds, int items)
    {
        var clock = Stopwatch.StartNew();
        var before = Environment.CpuUsage.TotalTime;
        long count = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            // A call that does many items is long enough by itself.
            for (var round = items > 1 ? 1 : 256; round > 0; round--)
            {
                work();
                count += items;
            }
        }

        return count / (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }
}
