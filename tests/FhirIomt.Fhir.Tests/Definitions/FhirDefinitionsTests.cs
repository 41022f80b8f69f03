using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Tests.Definitions;

public sealed class FhirDefinitionsTests
{
    private static FhirDefinitions R4 => FhirDefinitions.R4;

    [Fact]
    public void All_types_of_R4_are_there()
    {
        Assert.Equal(146, R4.ResourceTypes.Count);
        Assert.Equal(148, R4.Types.Count(type => type.Kind == FhirTypeKind.Resource));
        Assert.Equal(20, R4.Types.Count(type => type.Kind == FhirTypeKind.Primitive));
        Assert.Equal(682, R4.Types.Count);
        Assert.True(R4.IsResourceType("Observation"));
        Assert.False(R4.IsResourceType("DomainResource"));
        Assert.False(R4.IsResourceType("HumanName"));
        Assert.Null(R4.Type("Nothing"));
    }

    [Fact]
    public void Every_table_loads()
    {
        foreach (var type in R4.Types)
        {
            Assert.NotEmpty(type.Elements);
            Assert.All(type.Members, member => Assert.Same(member, type.Find(member.JsonName)));
        }
    }

    [Fact]
    public void Choice_elements_have_a_member_per_type()
    {
        var observation = R4.Type("Observation")!;
        var value = observation.Element("value")!;
        Assert.True(value.IsChoice);
        Assert.Equal("Observation.value[x]", value.Path);
        Assert.Equal(
            ["valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueInteger", "valueRange", "valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod"],
            value.Members.Select(member => member.JsonName));
        Assert.Same(R4.Type("Quantity"), observation.Find("valueQuantity"u8)!.Type);
        Assert.Null(observation.Find("value"u8));
        Assert.Null(observation.Find("valueUri"u8));
        Assert.Null(observation.Find(""u8));
    }

    [Fact]
    public void Elements_know_cardinality_binding_and_targets()
    {
        var observation = R4.Type("Observation")!;
        var status = observation.Find("status")!.Element;
        Assert.Equal((1, 1), (status.Min, status.Max));
        Assert.False(status.IsArray);
        Assert.True(status.IsModifier);
        Assert.True(status.IsSummary);
        Assert.Equal(BindingStrength.Required, status.Binding!.Strength);
        Assert.Equal("http://hl7.org/fhir/ValueSet/observation-status|4.0.1", status.Binding.ValueSet);
        var category = observation.Find("category")!.Element;
        Assert.Null(category.Max);
        Assert.True(category.IsArray);
        Assert.Equal(["Patient", "Group", "Device", "Location"], observation.Find("subject")!.TargetTypes);
        Assert.Contains(observation.Constraints, constraint => constraint is { Key: "obs-7", IsError: true });
        Assert.Contains(observation.Constraints, constraint => constraint is { Key: "dom-6", IsError: false });
        Assert.Equal("id", observation.Find("id")!.Type.Name);
        Assert.Equal("http://hl7.org/fhir/StructureDefinition/SimpleQuantity", Assert.Single(R4.Type("Range")!.Find("low")!.Profiles));
    }

    [Fact]
    public void Backbone_elements_are_types_named_by_their_path()
    {
        var contact = R4.Type("Patient")!.Find("contact")!;
        Assert.Equal("Patient.contact", contact.Type.Name);
        Assert.Equal(FhirTypeKind.Backbone, contact.Type.Kind);
        Assert.Equal("BackboneElement", contact.Type.Base!.Name);
        Assert.Contains(contact.Type.Constraints, constraint => constraint.Key == "pat-1");
        Assert.DoesNotContain(contact.Element.Constraints, constraint => constraint.Key == "pat-1");
        Assert.NotNull(contact.Type.Find("modifierExtension"));
        Assert.Equal("Element", R4.Type("Timing.repeat")!.Base!.Name);
    }

    [Theory]
    [InlineData("Questionnaire.item", "item", "Questionnaire.item")]
    [InlineData("Bundle.entry", "link", "Bundle.link")]
    [InlineData("ValueSet.compose", "exclude", "ValueSet.compose.include")]
    public void A_content_reference_leads_to_the_table_it_names(string type, string member, string target) =>
        Assert.Same(R4.Type(target), R4.Type(type)!.Find(member)!.Type);

    [Fact]
    public void ElementDefinition_recurses_and_primitives_know_their_pattern()
    {
        Assert.Equal("ElementDefinition.slicing.discriminator", R4.Type("ElementDefinition.slicing")!.Find("discriminator")!.Type.Name);
        Assert.Equal("[A-Za-z0-9\\-\\.]{1,64}", R4.Type("id")!.Pattern);
        Assert.Equal(["id", "extension"], R4.Type("code")!.Elements.Select(element => element.Name));
        Assert.True(R4.Type("code")!.Is(R4.Type("string")!));
        Assert.True(R4.Type("Patient")!.Is(R4.Type("Resource")!));
        Assert.False(R4.Type("Patient")!.Is(R4.Type("Observation")!));
    }

    [Fact]
    public void Search_parameters_are_narrowed_to_their_type()
    {
        var all = R4.ResourceTypes.SelectMany(R4.SearchParameters).ToList();
        Assert.Equal(1381, all.Select(parameter => parameter.Url).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("Observation.code", R4.SearchParameter("Observation", "code")!.Expression);
        Assert.Equal("AllergyIntolerance.code | AllergyIntolerance.reaction.substance", R4.SearchParameter("AllergyIntolerance", "code")!.Expression);
        Assert.Equal("Observation.subject.where(resolve() is Patient)", R4.SearchParameter("Observation", "patient")!.Expression);
        Assert.Equal("name | alias", R4.SearchParameter("InsurancePlan", "name")!.Expression);
        Assert.Equal(SearchParameterType.Token, R4.SearchParameter("Device", "_id")!.Type);
        var composite = R4.SearchParameter("Observation", "code-value-quantity")!;
        Assert.Equal(SearchParameterType.Composite, composite.Type);
        Assert.Equal(["code", "value.as(Quantity)"], composite.Components.Select(component => component.Expression));
        Assert.Null(R4.SearchParameter("Observation", "nothing"));
        Assert.Empty(R4.SearchParameters("Nothing"));
    }

    [Fact]
    public void Compartments_name_their_parameters()
    {
        Assert.Equal(["subject", "performer"], R4.CompartmentParameters("Patient", "Observation"));
        Assert.Equal(["subject", "device"], R4.CompartmentParameters("Device", "Observation"));
        Assert.Empty(R4.CompartmentParameters("Patient", "Location"));
    }

    [Fact]
    public void Profiles_carry_slices_patterns_and_types()
    {
        var heartRate = R4.Profile("http://hl7.org/fhir/StructureDefinition/heartrate")!;
        Assert.Equal("Observation", heartRate.Type);
        Assert.Equal("http://hl7.org/fhir/StructureDefinition/vitalsigns", heartRate.Base);
        var slicing = heartRate.Elements.Single(element => element.Id == "Observation.category").Slicing!;
        Assert.Equal(("open", "value", "coding.code"), (slicing.Rules, slicing.Discriminators[0].Kind, slicing.Discriminators[0].Path));
        var unit = heartRate.Elements.Single(element => element.Id == "Observation.value[x]:valueQuantity.code");
        Assert.Equal(("code", "\"/min\""), (unit.Fixed!.Type, unit.Fixed.Json));
        Assert.True(unit.MustSupport);
        Assert.All(R4.ProfileUrls, url => Assert.NotEmpty(R4.Profile(url)!.Elements));
        Assert.Null(R4.Profile("http://example.org/none"));
    }

    [Fact]
    public void Value_sets_tell_membership()
    {
        var status = R4.ValueSet("http://hl7.org/fhir/ValueSet/observation-status|4.0.1")!;
        Assert.Equal(8, status.Count);
        Assert.True(status.Contains("http://hl7.org/fhir/observation-status", "amended"));
        Assert.True(status.ContainsCode("final"));
        Assert.False(status.ContainsCode("Final"));
        Assert.True(R4.ValueSet("http://hl7.org/fhir/ValueSet/observation-vitalsignresult")!.Contains("http://loinc.org", "8867-4"));
        Assert.Null(R4.ValueSet("http://hl7.org/fhir/ValueSet/mimetypes"));
        Assert.Null(R4.ValueSet("http://hl7.org/fhir/ValueSet/condition-code"));
    }
}
