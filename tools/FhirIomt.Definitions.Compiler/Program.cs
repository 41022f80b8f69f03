using System.Diagnostics;
using FhirIomt.Definitions.Compiler;
using FhirIomt.Fhir.Definitions;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: FhirIomt.Definitions.Compiler SOURCE OUTPUT");
    Console.Error.WriteLine("  SOURCE  the FHIR R4 package: hl7.fhir.r4.core .tgz, or a folder of its resources as *.ndjson.gz");
    Console.Error.WriteLine("  OUTPUT  profiles/r4/r4.definitions");
    return 2;
}

var bytes = DefinitionCompiler.Pack(DefinitionCompiler.CompileBooks(PackageSource.Read(args[0])));
await File.WriteAllBytesAsync(args[1], bytes);

var watch = Stopwatch.StartNew();
var definitions = new FhirDefinitions(new DefinitionFile(bytes));
definitions.Type("Observation")!.Find("valueQuantity");
var loaded = watch.Elapsed;
Console.WriteLine($"{bytes.Length:N0} bytes; loaded in {loaded.TotalMilliseconds:F1} ms (cold, first type included)");
Console.WriteLine($"{definitions.Types.Count} types, {definitions.ResourceTypes.Count} concrete resources, {definitions.ProfileUrls.Count} profiles, {definitions.ValueSetUrls.Count} value sets");
Console.WriteLine($"{definitions.ResourceTypes.SelectMany(definitions.SearchParameters).Select(parameter => parameter.Url).Distinct(StringComparer.Ordinal).Count()} search parameters");
return 0;
