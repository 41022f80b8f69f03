using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Packages;
using FhirIomt.Tests;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>All value sets of R4 and of HL7's terminology package: whatever they contain, an answer comes.</summary>
public sealed class PackageValueSetTests
{
    [Theory]
    [InlineData("hl7.terminology.r4-7.0.1.tgz", 4)]
    [InlineData("hl7.fhir.uv.extensions.r4-5.3.0-ballot-tc1.tgz", 2)]
    public void Every_value_set_can_be_asked(string package, int atLeastOneIn)
    {
        using var stream = File.OpenRead(SharedData.Require("conformance/packages/" + package));
        var library = DefinitionLibrary.R4.With(FhirPackage.Read(stream).Require());
        var service = new TerminologyService(library);
        var (listed, asked) = (0, 0);
        foreach (var valueSet in library.All("ValueSet"))
        {
            var canonical = new Canonical(valueSet.Url, valueSet.Version).ToString();
            asked++;
            if (service.TryList(canonical) is not { } list)
            {
                service.Validate(canonical, "http://loinc.org", "8867-4");
                continue;
            }

            listed++;
            foreach (var system in list.Systems)
            {
                var code = list.Codes(system).First();
                Assert.True(service.IsMember(canonical, system, code), $"{canonical} {system} {code}");
                Assert.True(service.Validate(canonical, system, code).IsMember, $"{canonical} {system} {code}");
            }
        }

        Assert.True(listed * atLeastOneIn > asked, $"{listed} of {asked} can be listed");
    }
}
