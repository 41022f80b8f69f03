using System.CommandLine;

namespace FhirIomt.Server.Commands;

/// <summary>The command line: one binary for all commands; <c>serve</c> is the default.</summary>
internal static class CommandTree
{
    public static RootCommand Build()
    {
        var data = new Option<string>("--data") { Description = "Folder of the store", DefaultValueFactory = _ => ServeCommand.Configuration()["Data"] ?? "data", Recursive = true, HelpName = "DIR" };
        var serve = ServeCommand.Build(data);
        var root = new RootCommand("FhirIomt: a FHIR R4 server for medical devices") { serve, ClientCommand.Build(data), VendorCommand.Build(data), DeviceCommand.Build(data), MappingCommand.Build(data), HealthCommand.Build(), ValidateCommand.Build(), ConvertCommand.Build(), FhirPathCommand.Build() };
        root.Options.Add(data);
        return root;
    }

    /// <summary>The commands about files tell a command line that makes no sense (2) from a resource that is refused (1); the others know one failure.</summary>
    public static int ExitCode(ParseResult parsed, int code) =>
        parsed.Errors.Count > 0 && parsed.CommandResult.Command.Name is ("validate" or "convert" or "fhirpath") ? ResourceFile.Unusable : code;

    /// <summary><c>serve</c> is what runs when no command is named.</summary>
    public static string[] WithDefault(string[] arguments) =>
        arguments is [] or [['-', ..], ..] && arguments is not ["--help" or "-h" or "-?" or "--version", ..] ? ["serve", .. arguments] : arguments;
}
