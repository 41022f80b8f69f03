using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart;

/// <summary>The look of the pages, and the same look for apps (SMART App Launch 2.2, "Styling").</summary>
internal sealed class Style(SmartOptions options)
{
    private readonly Lazy<byte[]> _css = new(() => string.IsNullOrEmpty(options.StyleFile) ? Embedded("style.css") : File.ReadAllBytes(options.StyleFile));

    private static readonly byte[] Script = Embedded("passkeys.js");

    /// <summary>The only script of the pages.</summary>
    public static async Task ScriptAsync(HttpContext context)
    {
        context.Response.ContentType = "text/javascript; charset=utf-8";
        context.Response.Headers.CacheControl = "public, max-age=3600";
        await context.Response.BodyWriter.WriteAsync(Script, context.RequestAborted).ConfigureAwait(false);
    }

    public async Task CssAsync(HttpContext context)
    {
        context.Response.ContentType = "text/css; charset=utf-8";
        context.Response.Headers.CacheControl = "public, max-age=3600";
        await context.Response.BodyWriter.WriteAsync(_css.Value, context.RequestAborted).ConfigureAwait(false);
    }

    public static async Task SmartAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "public, max-age=3600";
        await context.Response.WriteAsync("""
            {"color_background":"#f2f4f7","color_error":"#a4161a","color_highlight":"#0b5cad","color_modal_backdrop":"#000000","color_success":"#1a7f37","color_text":"#1a2230","dim_border_radius":"4px","dim_font_size":"16px","dim_spacing_size":"16px","font_family_body":"system-ui, sans-serif","font_family_heading":"system-ui, sans-serif"}
            """, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Embedded(string name)
    {
        using var stream = typeof(Style).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
