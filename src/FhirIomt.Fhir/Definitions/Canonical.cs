namespace FhirIomt.Fhir.Definitions;

/// <summary>A canonical reference: a URL and, after a bar, a version (FHIR R4 §2.3.0.6).</summary>
public readonly record struct Canonical(string Url, string? Version)
{
    /// <summary>Reads <c>url|version#fragment</c>; the fragment is dropped, because it names a part of the same definition.</summary>
    public static Canonical Parse(string text)
    {
        var bar = text.IndexOf('|');
        var url = WithoutFragment(bar >= 0 ? text[..bar] : text);
        var version = bar >= 0 ? WithoutFragment(text[(bar + 1)..]) : "";
        return new Canonical(url, version.Length > 0 ? version : null);
    }

    public override string ToString() => Version is null ? Url : $"{Url}|{Version}";

    // "#id" alone is a contained definition: the whole reference.
    private static string WithoutFragment(string text) => text.IndexOf('#') is > 0 and var hash ? text[..hash] : text;
}
