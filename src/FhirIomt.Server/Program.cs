using FhirIomt.Server.Commands;

var parsed = CommandTree.Build().Parse(CommandTree.WithDefault(args));
var code = await parsed.InvokeAsync().ConfigureAwait(false);
return CommandTree.ExitCode(parsed, code);
