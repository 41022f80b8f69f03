using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Smart.Tokens;

namespace FhirIomt.Server.Demo;

/// <summary>Sets the demo up once the server answers, prints lines to paste, and lets the devices send.</summary>
internal sealed class DemoService(IServiceProvider services, IHostApplicationLifetime lifetime, ServerOptions options, ServerAddress address, AccessTokens tokens, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Demo)
        {
            return;
        }

        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(false);
        if (await DemoWorld.OpenAsync(options.Data, services, stoppingToken).ConfigureAwait(false) is not { } world)
        {
            Console.WriteLine("The store has a demo already, and its keys are in the folder of another --data. Start with that folder, or with an empty store.");
            return;
        }

        var token = await tokens.IssueAsync(world.ClientId, "system/*.cruds", stoppingToken).ConfigureAwait(false);
        Console.WriteLine(Text(world, token));
        using var http = new HttpClient();
        await new Simulator(world, address.Root, http, time).RunAsync(stoppingToken).ConfigureAwait(false);
    }

    private string Text(DemoWorld world, string token)
    {
        var patient = world.Patients[0];
        var watch = patient.Devices[0];
        var now = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        return $$"""

            The demo's devices are sending.

            # a clinician: open {{address.Root}}{{DemoEhr.Path}} in a browser, launch the vitals app, and sign in as
            {{DemoWorld.Clinician}}   {{world.Password}}

            Paste these into another terminal:

            # an EHR: a token for five minutes, then the newest heart rates of {{patient.Name}}
            TOKEN={{token}}
            curl -s -H "Authorization: Bearer $TOKEN" "{{address.FhirBase}}/Observation?patient={{patient.Id}}&code=8867-4&_sort=-date&_count=3"
            curl -s -H "Authorization: Bearer $TOKEN" "{{address.FhirBase}}/Patient"

            # a fresh token later, by SMART Backend Services with the demo's key
            TOKEN=$({{CommandLine()}} client token --client-id {{world.ClientId}} --key '{{world.KeyFile}}' --scopes 'system/*.rs' --server {{address.Root}})

            # a device: one reading of its own; sent twice, it is stored once
            curl -s -H "Authorization: Bearer {{watch.Credential}}" -H 'Content-Type: application/json' -d '{"deviceId":"{{watch.Identifier}}","time":"{{now}}","heartRate":72}' "{{address.DeviceMessages}}"

            """;
    }

    /// <summary>How this process was started, so that the printed command works where it is pasted.</summary>
    private static string CommandLine()
    {
        var program = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? $"dotnet '{Path.Combine(AppContext.BaseDirectory, "fhiriomt.dll")}'" : $"'{program}'";
    }
}
