using System.CommandLine;
using FhirIomt.Core;

namespace FhirIomt.Server.Commands;

/// <summary>
/// A secret that a command needs: from the first line of standard input or an environment variable, which other users' process lists and the shell's history do not show, or from the
/// command line, for trying out.
/// </summary>
/// <param name="name">Of the option; with <c>-stdin</c> behind it, the option that reads standard input.</param>
internal sealed class SecretOption(string name, string variable, string description, string helpName)
{
    private readonly Option<string?> _plain = new(name) { Description = $"{description}; better in {variable} or by {name}-stdin, where process lists do not show it", HelpName = helpName };
    private readonly Option<bool> _standardInput = new(name + "-stdin") { Description = $"Read {name} from the first line of standard input" };

    public void AddTo(Command command)
    {
        command.Options.Add(_plain);
        command.Options.Add(_standardInput);
    }

    /// <summary>What is said by an option counts before the environment.</summary>
    public Outcome<string> Read(ParseResult parsed)
    {
        var (plain, fromInput) = (parsed.GetValue(_plain), parsed.GetValue(_standardInput));
        if (plain is not null && fromInput)
        {
            return SecretIssues.Twice(name);
        }

        // Trimmed: a file or an echo ends with a line break, which no secret has.
        var secret = (fromInput ? Console.In.ReadLine() : plain ?? Environment.GetEnvironmentVariable(variable))?.Trim();
        return string.IsNullOrEmpty(secret) ? fromInput ? SecretIssues.EmptyInput(name) : SecretIssues.Missing(name, variable) : secret;
    }
}

/// <summary>Refusals about secrets of commands: IOMT-0549.</summary>
internal static class SecretIssues
{
    private const string Code = "IOMT-0549";

    public static Issue Missing(string name, string variable) =>
        Issue.Error(IssueKind.Required, Code, $"The command needs {name[2..]}, and got none.", name, $"Set the environment variable {variable}, or pipe it in with {name}-stdin.");

    public static Issue EmptyInput(string name) =>
        Issue.Error(IssueKind.Required, Code, "The first line of standard input is empty.", name + "-stdin", $"Pipe it in: printf %s \"$SECRET\" | fhiriomt … {name}-stdin");

    public static Issue Twice(string name) =>
        Issue.Error(IssueKind.Conflict, Code, $"{name} and {name}-stdin exclude each other.", name, $"Use {name}-stdin alone.");
}
