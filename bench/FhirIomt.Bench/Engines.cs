using System.Globalization;
using System.Text.Json;

namespace FhirIomt.Bench;

/// <summary>Independent engines in node, measured in the same run over the same Observation: bench/engines.</summary>
internal sealed class Engines
{
    private readonly string _folder;
    private readonly string _observation;
    private readonly string _seconds;
    private readonly string? _missing;

    public Engines(Workspace workspace, byte[] observation, bool quick)
    {
        _folder = Path.Combine(workspace.Root, "bench", "engines");
        _observation = Path.Combine(workspace.Folder("engines"), "observation.json");
        File.WriteAllBytes(_observation, observation);
        _seconds = (quick ? 0.3 : 1.0).ToString(CultureInfo.InvariantCulture);
        _missing = Missing();
        if (_missing is not null)
        {
            Console.WriteLine($"  independent engines: not measured, {_missing}");
        }
    }

    /// <summary>@medplum/core validateResource: R4's base types alone, and with the profile heartrate.</summary>
    public (double Base, double Profile)? Medplum() =>
        Run("validate.mjs", _observation, _seconds) is { } answer ? (answer.GetProperty("base").GetDouble(), answer.GetProperty("profile").GetDouble()) : null;

    /// <summary>fhirpath.js, one figure for each expression.</summary>
    public double[]? FhirPath(params string[] expressions) =>
        Run(["fhirpath.mjs", _observation, _seconds, .. expressions]) is { } answer ? [.. answer.EnumerateArray().Select(figure => figure.GetDouble())] : null;

    /// <summary>@lhncbc/ucum-lhc: units read that it has not met before, and values converted.</summary>
    public (double Parse, double Convert)? Ucum(string from, string to) =>
        Run("ucum.mjs", _seconds, from, to) is { } answer ? (answer.GetProperty("parse").GetDouble(), answer.GetProperty("convert").GetDouble()) : null;

    private string? Missing()
    {
        if (!Directory.Exists(Path.Combine(_folder, "node_modules")))
        {
            return "run 'npm ci' in bench/engines first";
        }

        try
        {
            Workspace.Run("node", "--version");
            return null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "node is not installed";
        }
    }

    private JsonElement? Run(string script, params string[] arguments)
    {
        if (_missing is not null)
        {
            return null;
        }

        using var answer = JsonDocument.Parse(Workspace.Run("node", [Path.Combine(_folder, script), .. arguments]));
        return answer.RootElement.Clone();
    }

    private JsonElement? Run(string[] all) => Run(all[0], all[1..]);
}
