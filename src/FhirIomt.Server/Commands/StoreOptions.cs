using System.CommandLine;
using FhirIomt.Server.Hosting;

namespace FhirIomt.Server.Commands;

/// <summary>Which store: <c>--data DIR</c> or <c>--postgres CONNECTIONSTRING</c>, on every command that opens one.</summary>
internal sealed class StoreOptions
{
    public Option<string?> Data { get; } = new("--data") { Description = "Folder of the embedded store (default data)", Recursive = true, HelpName = "DIR" };

    public Option<string?> Postgres { get; } = new("--postgres")
    {
        Description = "Connection string of a PostgreSQL store instead; better kept in FHIRIOMT_POSTGRES, where other users' process lists do not show it",
        Recursive = true,
        HelpName = "CONNECTIONSTRING",
    };

    /// <summary>The command line before the environment before appsettings.json. A folder named here wins over a server named there.</summary>
    public void Apply(ParseResult parsed, ServerOptions options)
    {
        options.Postgres = parsed.GetValue(Postgres) ?? (parsed.GetValue(Data) is null ? options.Postgres : null);
        options.Data = parsed.GetValue(Data) ?? options.Data;
    }

    public ServerOptions Of(ParseResult parsed)
    {
        var configuration = ServeCommand.Configuration();
        var options = new ServerOptions { Postgres = configuration["Postgres"] };
        options.Data = configuration["Data"] ?? options.Data;
        options.Urls = configuration["Urls"] ?? options.Urls;
        options.PublicUrl = configuration["PublicUrl"];
        configuration.GetSection("Auth").Bind(options.Auth);
        Apply(parsed, options);
        configuration.GetSection("Audit").Bind(options.Audit);
        options.Command = parsed.CommandResult.Command is { } command && command.Parents.OfType<Command>().FirstOrDefault() is { } group && group is not RootCommand ? $"{group.Name} {command.Name}" : parsed.CommandResult.Command.Name;
        return options;
    }
}
