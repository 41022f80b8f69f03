using System.Diagnostics;
using System.Globalization;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>The disk of the embedded store is full: writes are refused cleanly, reads go on, and with space they are taken again without a restart.</summary>
public sealed class DiskFullTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 4;

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-disk-").FullName;
    private bool _mounted;

    public void Dispose()
    {
        if (_mounted)
        {
            Run("umount", _data);
        }

        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_and_nothing_else_and_needs_no_restart()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can mount a small file system.");
        _mounted = Run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", _data) == 0;
        Assert.SkipUnless(_mounted, "A small file system cannot be mounted here.");
        var accounts = await PrepareAsync();
        await using var server = await ChildProcess.ServeAsync(_data);
        var token = await accounts.TokenAsync(server.Base);
        using var client = new LoadClient(server.Base, token, accounts.Credential);
        var load = new MixedLoad();

        for (var round = 0; round < 3; round++)
        {
            // What else is on the disk leaves 3 MB, then less: the store meets its end in the log, in the file itself, and in the middle of copying one to the other.
            var filler = Path.Combine(_data, "filler");
            Fill(filler, leave: (3 - round) << 20);
            await WorkUntilRefusedAsync(load, server, token, accounts, round);
            Assert.Equal(200, (await client.FhirAsync(HttpMethod.Get, "Observation/own0")).Status);
            Assert.Equal(200, (await client.FhirAsync(HttpMethod.Get, "Observation?code=own&_sort=-date")).Status);
            await load.Ledger.CompareAsync(server.Base, token);

            File.Delete(filler);
            var again = await client.FhirAsync(HttpMethod.Put, $"Observation/after{round}", Resources.Observation("own", round, $"after{round}"));
            Assert.True(again.Status == 201, again.Text);
            await load.ResendAsync(client);
            Assert.Empty(load.Unexpected);
            await load.Ledger.CompareAsync(server.Base, token);
            var check = await ChildProcess.RunAsync("check", "--data", _data);
            Assert.True(check.ExitCode == 0, check.Output + check.Errors);
        }

        output.WriteLine($"{load.Acknowledged} acknowledged, {load.Refused} refused");
    }

    private static async Task WorkUntilRefusedAsync(MixedLoad load, ChildProcess server, string token, Accounts accounts, int round)
    {
        var before = load.Refused;
        var clients = Enumerable.Range(0, Workers).Select(_ => new LoadClient(server.Base, token, accounts.Credential)).ToList();
        await Task.WhenAll(clients.Select((client, worker) => load.WorkAsync(client, worker, round, () => load.Refused >= before + (5 * Workers) || !load.Unexpected.IsEmpty)));
        clients.ForEach(client => client.Dispose());
        Assert.Empty(load.Unexpected.Take(5));
        Assert.True(load.Refused > before, server.Errors);
    }

    private static void Fill(string path, long leave)
    {
        using var file = File.Create(path);
        var bytes = new byte[64 * 1024];
        while (new DriveInfo(path).AvailableFreeSpace > leave)
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
    }

    private async Task<Accounts> PrepareAsync()
    {
        await using var server = new TestServer { Configure = options => options.Data = _data };
        await server.InitializeAsync();
        return await Accounts.AddAsync(server);
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
