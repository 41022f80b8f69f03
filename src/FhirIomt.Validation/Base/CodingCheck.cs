using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Base;

/// <summary>A Coding by itself: its code is one of its system's (FHIR R4 §4.1.1). Two hash lookups for a code that is right.</summary>
internal sealed class CodingCheck(TerminologyService terminology)
{
    // A server meets some dozens of systems; names from outside beyond that are looked up each time.
    private const int MaxKept = 2048;

    private readonly ConcurrentDictionary<string, SystemCodes> _systems = new(StringComparer.Ordinal);

    private enum Standing : byte
    {
        Unknown,
        Listed,
        Supplement,
        ByForm,
    }

    public void Run(ValidationRun run, ResourceNode coding)
    {
        var (system, code) = (coding["system"u8], coding["code"u8]);
        if (!system.IsString || !code.IsString)
        {
            return;
        }

        var codes = Find(system);
        if (codes.Standing == Standing.Listed && codes.Find(code) is { } known)
        {
            // What a system calls its code may differ in words from what a sender calls it; that misleads people, not programs.
            if (coding["display"u8] is { IsString: true } display && !known.Allows(display))
            {
                run.Add(ValidationIssues.OtherDisplay, coding, "The display is none that the code system gives for the code.");
            }
        }
        else if (codes.Standing == Standing.Listed)
        {
            run.Add(ValidationIssues.UnknownCode, code, $"The code system {system.AsString()} has no such code.");
        }
        else if (codes.Standing == Standing.Supplement)
        {
            run.Add(ValidationIssues.SupplementAsSystem, system, "A supplement adds to a code system; it is none itself.");
        }
        else if (codes.Standing == Standing.ByForm && terminology.Store.External.FormOf(system.AsCommonString()!, code.AsCommonString()!) == CodeForm.Malformed)
        {
            run.Add(ValidationIssues.MalformedCode, code, $"No code of {system.AsString()} has this form or check digit.");
        }
    }

    private SystemCodes Find(ResourceNode system)
    {
        Span<char> text = stackalloc char[256];
        if (system.ContentSpan.Length <= text.Length && Encoding.UTF8.TryGetChars(system.ContentSpan, text, out var length)
            && _systems.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..length], out var known))
        {
            return known;
        }

        var url = system.AsString()!;
        var read = Read(url);
        return _systems.Count < MaxKept ? _systems.GetOrAdd(url, read) : read;
    }

    private SystemCodes Read(string url)
    {
        var versions = terminology.Store.Definitions.Versions("CodeSystem", url);
        if (ExternalSystem.IsKnown(url))
        {
            return new SystemCodes(Standing.ByForm, null);
        }

        if (versions.Count > 0 && versions.All(version => version.Tree.Root["content"u8].TextEquals("supplement"u8) || version.Tree.Root["supplements"u8].Exists))
        {
            return new SystemCodes(Standing.Supplement, null);
        }

        // A code of any version known is a code of the system; a fragment does not say what else there is.
        var contents = terminology.Store.CodeSystemVersions(url).ToArray();
        if (contents.Length == 0 || contents.Any(content => content.IsFragment || !content.Root["content"u8].TextEquals("complete"u8)))
        {
            return new SystemCodes(Standing.Unknown, null);
        }

        var comparer = contents.All(content => content.CaseSensitive) ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;
        return new SystemCodes(Standing.Listed, contents.SelectMany(content => content.Concepts).Select(concept => concept.Code)
            .Distinct(comparer).ToFrozenDictionary(code => code, code => new KnownCode(contents, code), comparer));
    }

    private sealed record SystemCodes(Standing Standing, FrozenDictionary<string, KnownCode>? Codes)
    {
        public KnownCode? Find(ResourceNode code)
        {
            Span<char> text = stackalloc char[256];
            return code.ContentSpan.Length <= text.Length && Encoding.UTF8.TryGetChars(code.ContentSpan, text, out var length)
                ? Codes!.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..length], out var known) ? known : null
                : Codes!.GetValueOrDefault(code.AsString()!);
        }
    }

    /// <summary>A code of a listed system. Its displays are read once: looking them up for each coding cost more than all other checks of it.</summary>
    private sealed class KnownCode(CodeSystemContent[] versions, string code)
    {
        // Empty when some version has no display for the code: then any is as good.
        private string[]? _displays;

        public bool Allows(ResourceNode display)
        {
            var displays = _displays ??= Read();
            Span<char> text = stackalloc char[256];
            var content = display.ContentSpan;
            ReadOnlySpan<char> said = content.Length <= text.Length && !content.Contains((byte)'\\') && Encoding.UTF8.TryGetChars(content, text, out var length)
                ? text[..length] : display.AsString();
            foreach (var allowed in displays)
            {
                if (said.Equals(allowed, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }

            return displays.Length == 0;
        }

        private string[] Read()
        {
            var displays = new List<string>();
            foreach (var version in versions)
            {
                if (version.Find(code) is not { Display: { } display } concept)
                {
                    return [];
                }

                displays.Add(display);
                foreach (var designation in concept.Node["designation"u8].Items)
                {
                    displays.Add(designation["value"u8].AsString() ?? display);
                }
            }

            return [.. displays.Distinct(StringComparer.OrdinalIgnoreCase)];
        }
    }
}
