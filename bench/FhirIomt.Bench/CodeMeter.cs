using System.Diagnostics;
using System.Runtime;

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

    public bool Wants(string name) => only is null || name.Contains(only, StringComparison.OrdinalIgnoreCase) || only.Contains(name, StringComparison.OrdinalIgnoreCase);

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

    // The compiler's later passes run beside the code, 100 ms after it was called often enough; their CPU must not count. They are over when two
    // rounds compiled nothing; a busy machine may not come to them for seconds.
    private static void WarmUp(Func<object?> work, int items)
    {
        var quiet = 0;
        for (var round = 0; round < 24 && quiet < 2; round++)
        {
            var compiled = JitInfo.GetCompiledMethodCount();
            Repeat(work, 0.2, items);
            Thread.Sleep(150);
            quiet = JitInfo.GetCompiledMethodCount() == compiled ? quiet + 1 : 0;
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
