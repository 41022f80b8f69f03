using FhirIomt.Server.Commands;

return await CommandTree.Build().Parse(CommandTree.WithDefault(args)).InvokeAsync().ConfigureAwait(false);
