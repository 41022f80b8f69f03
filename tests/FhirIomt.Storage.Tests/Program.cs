using FhirIomt.Storage.Tests;

// The crash tests start this assembly again as the process that they kill.
return args is [CrashingWriter.Argument, var engine, var place, var round]
    ? await CrashingWriter.RunAsync(Enum.Parse<Engine>(engine), place, int.Parse(round, System.Globalization.CultureInfo.InvariantCulture))
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
