using System.Diagnostics;
using System.Globalization;

namespace FhirIomt.Server.Tests.RabbitMq;

/// <summary>A RabbitMQ of this test's own, which it may kill and start. A shell does it and takes it away when this process ends, whichever way.</summary>
internal sealed class OwnBroker : IDisposable
{
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly Process _shell;

    private OwnBroker(Process shell, int port, int mqttPort)
    {
        _shell = shell;
        Uri = string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{port}/");
        MqttPort = mqttPort;
    }

    public string Uri { get; }

    public int MqttPort { get; }

    public static async Task<OwnBroker> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Program), "RabbitMQ is not installed.");
        var folder = Directory.CreateTempSubdirectory("fhiriomt-rabbit-").FullName;
        var (port, distribution, names, mqtt) = (ChildProcess.FreePort(), ChildProcess.FreePort(), ChildProcess.FreePort(), ChildProcess.FreePort());
        await File.WriteAllTextAsync(Path.Combine(folder, "plugins"), "[rabbitmq_consistent_hash_exchange,rabbitmq_mqtt].\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "rabbitmq.conf"), $"mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}\nmqtt.allow_anonymous = false\n");
        var script = $$"""
            cd '{{folder}}' && mkdir home
            export HOME='{{folder}}/home' RABBITMQ_NODENAME='iomt{{port}}@localhost' RABBITMQ_NODE_PORT={{port}} RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_DIST_PORT={{distribution}}
            export ERL_EPMD_PORT={{names}} ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_MNESIA_BASE='{{folder}}/data' RABBITMQ_LOG_BASE='{{folder}}/log' RABBITMQ_CONF_ENV_FILE=/dev/null
            export RABBITMQ_ENABLED_PLUGINS_FILE='{{folder}}/plugins' RABBITMQ_CONFIG_FILE='{{folder}}/rabbitmq.conf'
            broker=
            while read -r action; do
                case $action in
                    start)
                        setsid '{{Program}}' >'{{folder}}/out' 2>&1 </dev/null &
                        broker=$!
                        while ! grep -q 'completed with' '{{folder}}/out'; do
                            kill -0 "$broker" 2>/dev/null || { echo failed; break; }
                            sleep 0.2
                        done
                        echo done ;;
                    kill) kill -9 -- "-$broker"; wait "$broker" 2>/dev/null; echo done ;;
                esac
            done
            [ -z "$broker" ] || kill -9 -- "-$broker" 2>/dev/null
            sleep 0.5
            epmd -kill >/dev/null 2>&1
            rm -rf '{{folder}}'
            """;
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        var broker = new OwnBroker(Process.Start(start)!, port, mqtt);
        await broker.StartAgainAsync();
        return broker;
    }

    public Task KillAsync() => TellAsync("kill");

    public Task StartAgainAsync() => TellAsync("start");

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
