using System.CommandLine;

namespace FhirIomt.Server.Commands;

/// <summary>The command line: one binary for all commands; <c>serve</c> is the default.</summary>
internal static class CommandTree
{
    public static RootCommand Build()
    {
        var store = new StoreOptions();
        var serve = ServeCommand.Build(store);
        var root = new RootCommand("FhirIomt: a FHIR R4 server for medical devices") { serve, ClientCommand.Build(store), UserCommand.Build(store), KeyCommand.Build(store), VendorCommand.Build(store), DeviceCommand.Build(store), MappingCommand.Build(store), RouteCommand.Build(store), QuarantineCommand.Build(store), IngestCommand.Build(), AuditCommand.Build(store), HealthCommand.Build(), ValidateCommand.Build(), ConvertCommand.Build(), FhirPathCommand.Build() };
        foreach (var command in StoreCommands.Build(store))
        {
            root.Subcommands.Add(command);
        }

        root.Options.Add(store.Data);
        root.Options.Add(store.Postgres);
        return root;
    }

    /// <summary>The commands about files tell a command line that makes no sense (2) from a resource that is refused (1); the others know one failure.</summary>
    public static int ExitCode(ParseResult parsed, int code) =>
        parsed.Errors.Count > 0 && parsed.CommandResult.Command.Name is ("validate" or "convert" or "fhirpath") ? ResourceFile.Unusable : code;

    /// <summary><c>serve</c> is what runs when no command is named.</summary>
    public static string[] WithDefault(string[] arguments) =>
        arguments is [] or [['-', ..], ..] && arguments is not ["--help" or "-h" or "-?" or "--version", ..] ? ["serve", .. arguments] : arguments;
}
