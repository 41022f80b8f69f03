using System.Diagnostics;
using FhirIomt.Definitions.Compiler;
using FhirIomt.Fhir.Definitions;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: FhirIomt.Definitions.Compiler SOURCE OUTPUT");
    Console.Error.WriteLine("  SOURCE  the FHIR R4 package: hl7.fhir.r4.core .tgz, or a folder of its resources as *.ndjson.gz");
    Console.Error.WriteLine("  OUTPUT  the folder profiles/r4, for r4.definitions and r4.resources");
    return 2;
}

var source = PackageSource.Read(args[0]);
var bytes = DefinitionCompiler.Pack(DefinitionCompiler.CompileBooks(source));
await File.WriteAllBytesAsync(Path.Combine(args[1], "r4.definitions"), bytes);
var packed = ResourceFile.Pack(source);
await File.WriteAllBytesAsync(Path.Combine(args[1], "r4.resources"), packed);

var watch = Stopwatch.StartNew();
var definitions = new FhirDefinitions(new DefinitionFile(bytes));
definitions.Type("Observation")!.Find("valueQuantity");
var loaded = watch.Elapsed;
Console.WriteLine($"{bytes.Length:N0} bytes; loaded in {loaded.TotalMilliseconds:F1} ms (cold, first type included)");
Console.WriteLine($"{definitions.Types.Count} types, {definitions.ResourceTypes.Count} concrete resources, {definitions.ProfileUrls.Count} profiles, {definitions.ValueSetUrls.Count} value sets");
Console.WriteLine($"{definitions.ResourceTypes.SelectMany(definitions.SearchParameters).Select(parameter => parameter.Url).Distinct(StringComparer.Ordinal).Count()} search parameters");
watch.Restart();
var resources = new R4Resources(() => packed);
resources.Versions("StructureDefinition", "http://hl7.org/fhir/StructureDefinition/Patient");
Console.WriteLine($"{packed.Length:N0} bytes of resources; opened in {watch.Elapsed.TotalMilliseconds:F1} ms, {source.Everything().Count()} resources");
watch.Restart();
var read = source.Everything().Select(node => node["resourceType"u8].AsString()!).Distinct(StringComparer.Ordinal).SelectMany(resources.All).Count(resource => resource.Tree.Root.Exists);
Console.WriteLine($"{read} resources read in {watch.Elapsed.TotalMilliseconds:F0} ms");
return 0;
