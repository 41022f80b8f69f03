using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Smart.Tokens;

namespace FhirIomt.Server.Demo;

/// <summary>
/// A small page that plays the EHR, with <c>--demo</c> only: the demo's patients, each with a button that launches the vitals app as an EHR does it. It announces the launch by
/// <c>POST /auth/launches</c> with a token of its own, and sends the browser to the app with what it got.
/// </summary>
internal static class DemoEhr
{
    public const string Path = "/apps/ehr";

    private const string Policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder routes, ServerOptions options)
    {
        if (!options.Demo)
        {
            return;
        }

        routes.MapGet(Path, (HttpContext context) => PageAsync(context, options));
        routes.MapPost($"{Path}/launch", (HttpContext context) => LaunchAsync(context, options));
    }

    private static async Task PageAsync(HttpContext context, ServerOptions options)
    {
        if (await DemoWorld.FindAsync(options.Data, context.RequestAborted).ConfigureAwait(false) is not { } world)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            return;
        }

        static string Encoded(string text) => HtmlEncoder.Default.Encode(text);
        var rows = string.Concat(world.Patients.Select(patient => $"""
            <form method="post" action="{Path}/launch"><input type="hidden" name="patient" value="{Encoded(patient.Id)}">
            <button type="submit">Vitals of {Encoded(patient.Name)}</button></form>
            """));
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync($"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Demo EHR</title><link rel="stylesheet" href="/auth/style.css"></head>
            <body><main><h1>Demo EHR</h1>
            <p>This page plays the electronic health record. Sign in to the app as <strong>{Encoded(DemoWorld.Clinician)}</strong>; the password is printed where the server was started.</p>
            {rows}
            <p><a href="/apps/vitals/launch.html">Launch the app by itself</a> and choose the patient there.</p>
            </main></body></html>
            """, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task LaunchAsync(HttpContext context, ServerOptions options)
    {
        // The page sends no other kind; a broken multipart body ends in an IOException, which would look like the server's own.
        if (!context.Request.HasFormContentType || context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var world = await DemoWorld.FindAsync(options.Data, context.RequestAborted).ConfigureAwait(false);
        if (world?.Patients.FirstOrDefault(patient => patient.Id == form["patient"]) is not { } known)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var address = context.RequestServices.GetRequiredService<ServerAddress>();
        var token = await context.RequestServices.GetRequiredService<AccessTokens>().IssueAsync(world.ClientId, DemoWorld.LaunchRight, context.RequestAborted).ConfigureAwait(false);
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        var announced = new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = VitalsApp.ClientId, ["user"] = DemoWorld.Clinician, ["patient"] = known.Id };
        using var answer = await http.PostAsJsonAsync(new Uri($"{address.Root}/auth/launches"), announced, context.RequestAborted).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync(context.RequestAborted).ConfigureAwait(false));
        var launch = body.RootElement.GetProperty("launch").GetString()!;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"{VitalsApp.LaunchUri(address)}?iss={Uri.EscapeDataString(address.FhirBase)}&launch={Uri.EscapeDataString(launch)}";
    }
}
