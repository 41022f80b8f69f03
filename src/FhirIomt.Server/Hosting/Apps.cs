using Microsoft.Extensions.FileProviders;

namespace FhirIomt.Server.Hosting;

/// <summary>The browser apps under <c>/apps</c>, as npm built them: files beside the program.</summary>
internal static class Apps
{
    // An app reads and writes through its own server only, runs no script that the server did not hand out, and is never framed. Charts set styles by script, which this allows.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "apps");

    public static void Use(WebApplication app)
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        var files = new PhysicalFileProvider(Folder);
        app.UseDefaultFiles(new DefaultFilesOptions { RequestPath = "/apps", FileProvider = files, DefaultFileNames = ["index.html"] });
        app.UseStaticFiles(new StaticFileOptions
        {
            RequestPath = "/apps",
            FileProvider = files,
            OnPrepareResponse = static prepared =>
            {
                var headers = prepared.Context.Response.Headers;
                headers.ContentSecurityPolicy = Policy;

                // Names of scripts and styles carry a hash of what is in them; pages do not.
                headers.CacheControl = prepared.Context.Request.Path.StartsWithSegments("/apps/assets", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache";
            },
        });
    }
}
