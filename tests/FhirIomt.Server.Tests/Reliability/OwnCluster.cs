using System.Diagnostics;
using System.Globalization;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>A PostgreSQL that one test may stop and start. A shell does it and takes it away when this process ends, whichever way.</summary>
internal sealed class OwnCluster : IDisposable
{
    private readonly Process _shell;

    private OwnCluster(Process shell, int port)
    {
        _shell = shell;
        ConnectionString = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=fhiriomt;Database=postgres;Search Path=own");
    }

    public string ConnectionString { get; }

    public static async Task<OwnCluster> StartAsync()
    {
        var binaries = PostgresCluster.Binaries();
        Assert.SkipWhen(binaries is null, "PostgreSQL is not installed.");
        var folder = Directory.CreateTempSubdirectory("fhiriomt-own-pg-").FullName;
        var port = PostgresCluster.FreePort();
        var asPostgres = Environment.UserName == "root" ? "setpriv --reuid=postgres --regid=postgres --init-groups " : "";
        var script = $$"""
            cd /tmp
            {{(asPostgres.Length > 0 ? $"chown postgres '{folder}'" : ":")}}
            run() { {{asPostgres}}"$@" >>'{{folder}}/tools.log' 2>&1 </dev/null; }
            run '{{binaries}}/initdb' -D '{{folder}}/data' -A trust -U fhiriomt -E UTF8 --locale=C --no-sync || exit 1
            while read -r action mode; do
                case $action in
                    start) run '{{binaries}}/pg_ctl' start -w -D '{{folder}}/data' -l '{{folder}}/server.log' -o '-p {{port}} -c listen_addresses=127.0.0.1 -c unix_socket_directories=' && echo done || echo failed ;;
                    stop) run '{{binaries}}/pg_ctl' stop -w -D '{{folder}}/data' -m "$mode" && echo done || echo failed ;;
                esac
            done
            run '{{binaries}}/pg_ctl' stop -D '{{folder}}/data' -m immediate
            rm -rf '{{folder}}'
            """;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        var cluster = new OwnCluster(Process.Start(start)!, port);
        await cluster.TellAsync("start -");
        PostgresCluster.Execute(cluster.ConnectionString, "CREATE SCHEMA own");
        return cluster;
    }

    /// <param name="mode"><c>fast</c> ends sessions in order, <c>immediate</c> is a crash.</param>
    public Task StopAsync(string mode) => TellAsync($"stop {mode}");

    public Task StartAgainAsync() => TellAsync("start -");

    public void Dispose()
    {
        _shell.StandardInput.Close();
        _shell.WaitForExit();
        _shell.Dispose();
    }

    private async Task TellAsync(string line)
    {
        await _shell.StandardInput.WriteLineAsync(line);
        await _shell.StandardInput.FlushAsync();
        Assert.Equal("done", await _shell.StandardOutput.ReadLineAsync());
    }
}
