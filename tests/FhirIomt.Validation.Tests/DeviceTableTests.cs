using System.Buffers;
using System.Text;
using System.Text.Json;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Linting;
using FhirIomt.Mapping.Measurements;

namespace FhirIomt.Validation.Tests;

/// <summary>The table of device classes in docs/devices.md: a message of each, and the profiles of what becomes of it.</summary>
public sealed class DeviceTableTests
{
    private static readonly JsonDocument Table = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "devices.json")));

    public static TheoryData<string> Classes => [.. Table.RootElement.EnumerateArray().Select(row => row.GetProperty("deviceClass").GetString()!)];

    public static TheoryData<string> Mappings => [.. BuiltInMappings.All.Where(mapping => mapping.Set.Samples.Count > 0).Select(mapping => mapping.Name)];

    [Theory]
    [MemberData(nameof(Classes))]
    public void A_message_of_each_device_class_becomes_valid_resources_of_its_profiles(string deviceClass)
    {
        var row = Table.RootElement.EnumerateArray().Single(one => one.GetProperty("deviceClass").GetString() == deviceClass);
        var envelope = Encoding.UTF8.GetBytes($$"""{"Body":{{row.GetProperty("body").GetRawText()}}}""");
        var resources = Run(MapperOf(row.GetProperty("mapping").GetString()!), envelope);
        Assert.Equal(row.GetProperty("profiles").EnumerateArray().Select(profile => profile.GetString()!), resources.Select(ProfileOf));
        Assert.All(resources, resource => Assert.DoesNotContain(Validated.Validator.Validate(resource), issue => issue.Refuses));
    }

    [Theory]
    [MemberData(nameof(Mappings))]
    public void What_a_built_in_mapping_makes_of_its_samples_is_valid(string name)
    {
        var mapping = BuiltInMappings.All.Single(one => one.Name == name);
        foreach (var sample in mapping.Set.Samples)
        {
            var resources = Run(mapping.Set, MappingLinter.Envelope(sample).Utf8);
            Assert.NotEmpty(resources);
            Assert.All(resources, resource => Assert.DoesNotContain(Validated.Validator.Validate(resource), issue => issue.Refuses));
        }
    }

    private static IMessageMapper MapperOf(string name) => name switch
    {
        "gatt" => GattMapper.Instance,
        "hl7v2" => Hl7Mapper.Instance,
        _ => BuiltInMappings.All.Single(mapping => mapping.Name == name).Set,
    };

    [Fact]
    public void The_table_in_the_documents_is_the_one_that_is_tested()
    {
        var document = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "devices.md"));
        var rows = document.SkipWhile(line => !line.StartsWith("| device class |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        var written = rows.Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Select(cells => $"{cells[1]} | {cells[2].Trim('`')} | {cells[3]}");
        var tested = Table.RootElement.EnumerateArray().Select(row => $"{row.GetProperty("deviceClass")} | {row.GetProperty("mapping")} | {string.Join(", ", row.GetProperty("profiles").EnumerateArray())}");
        Assert.Equal(tested, written);
    }

    // What claims no profile is named by its type.
    private static string ProfileOf(JsonTree resource) => (resource.Root["meta"u8]["profile"u8].First().AsString() ?? resource.Root["resourceType"u8].AsString()!).Split('/')[^1];

    private static List<JsonTree> Run(IMessageMapper mapper, ReadOnlyMemory<byte> envelope)
    {
        var issued = new DateTimeOffset(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
        var result = mapper.Map(JsonTree.Parse(envelope).Require(), new MappingContext(null, issued));
        Assert.Empty(result.Issues);
        return [.. result.Readings.Select(reading =>
        {
            var output = new ArrayBufferWriter<byte>();
            reading.Write(output, new ResolvedReading(reading.SourceKey("p", "d", withFraction: false), "p", "d", null, issued, Amended: false));
            return JsonTree.Parse(output.WrittenMemory).Require();
        })];
    }
}
