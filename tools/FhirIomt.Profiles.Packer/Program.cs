using FhirIomt.Profiles.Packer;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: FhirIomt.Profiles.Packer SOURCE OUTPUT");
    Console.Error.WriteLine("  SOURCE  the folder profiles/iomt");
    Console.Error.WriteLine("  OUTPUT  the package, such as fhiriomt.iomt-0.2.0.tgz");
    return 2;
}

if (!ProfilePackage.Read(args[0]).TryGetValue(out var package, out var issues))
{
    foreach (var issue in issues)
    {
        Console.Error.WriteLine($"{issue.Code} {issue.Expression} {issue.Message}");
    }

    return 1;
}

await using var output = File.Create(args[1]);
package.Write(output);
Console.WriteLine($"{package.Definitions.Count} definitions, {package.Examples.Count} examples");
return 0;
