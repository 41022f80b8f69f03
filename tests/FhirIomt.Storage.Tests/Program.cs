using FhirIomt.Storage.Tests;

// The crash tests start this assembly again as the process that they kill.
return args is [CrashingWriter.Argument, var folder, var round]
    ? await CrashingWriter.RunAsync(folder, int.Parse(round, System.Globalization.CultureInfo.InvariantCulture))
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
