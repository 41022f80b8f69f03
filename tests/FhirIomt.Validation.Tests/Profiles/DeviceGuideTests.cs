using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>The examples of the device guides of HL7 are accepted: personal health devices in JSON, point-of-care devices in XML.</summary>
public sealed class DeviceGuideTests
{
    [Fact]
    public void Every_example_of_the_guide_for_personal_health_devices_is_accepted() =>
        Assert.Empty(Refused("device-data/phd-fhir-examples", "*.json", text => JsonTree.Parse(text)));

    [Fact]
    public void Every_example_of_the_guide_for_point_of_care_devices_is_accepted() =>
        Assert.Empty(Refused("device-data/pocd-fhir-examples", "*.xml", text => FhirXml.Parse(text, FhirDefinitions.R4)));

    private static string[] Refused(string folder, string pattern, Func<byte[], Outcome<JsonTree>> parse)
    {
        var files = Directory.GetFiles(SharedData.Require(folder), pattern);
        Assert.NotEmpty(files);
        return [.. files.SelectMany(file => (parse(File.ReadAllBytes(file)).TryGetValue(out var tree, out var issues) ? Validated.Validator.Validate(tree) : issues)
            .Where(issue => issue.Refuses).Select(issue => $"{Path.GetFileName(file)} {issue}"))];
    }
}
