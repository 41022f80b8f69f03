using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Server.Commands;

/// <summary>Reads a password that no screen, process list or shell history shows.</summary>
internal static class PasswordPrompt
{
    public static Issue Missing { get; } = Issue.Error(
        IssueKind.Required, "IOMT-0835", "No password was given, or the two were not the same.", "--password-stdin", "Type it twice when asked, or pipe it in with --password-stdin.");

    /// <summary>From standard input its first line; from a person, asked twice without echo. Null when there is none.</summary>
    public static string? Read(bool fromStandardInput)
    {
        if (fromStandardInput)
        {
            return Console.In.ReadLine() is { Length: > 0 } line ? line : null;
        }

        if (Console.IsInputRedirected)
        {
            return null;
        }

        var first = Ask("Password: ");
        return first.Length > 0 && first == Ask("Again: ") ? first : null;
    }

    private static string Ask(string prompt)
    {
        Console.Error.Write(prompt);
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                text.Length = Math.Max(0, text.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                text.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return text.ToString();
    }
}
