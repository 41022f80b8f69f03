using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository.Tests;

public sealed class ResourceComparisonTests
{
    [Theory]
    [InlineData("""{"id":"1","a":1}""", """{"a":1,"id":"1"}""", true)]
    [InlineData("""{"id":"1","meta":{"versionId":"1"},"a":1}""", """{"id":"1","a":1}""", true)]
    [InlineData("""{"id":"1","meta":{"versionId":"1","tag":[{"code":"x"}]},"a":1}""", """{"id":"1","a":1}""", false)]
    [InlineData("""{"a":72.0}""", """{"a":72}""", false)]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""", false)]
    [InlineData("""{"a":"\u0041"}""", """{"a":"A"}""", true)]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"a":{"b":[{"c":true}]}}""", """{"a":{"b":[{"c":false}]}}""", false)]
    public void Two_versions_say_the_same_when_only_order_and_version_differ(string left, string right, bool same)
    {
        Assert.Equal(same, ResourceComparison.SameButForVersion(Root(left), Root(right)));
        Assert.Equal(same, ResourceComparison.SameButForVersion(Root(right), Root(left)));
    }

    [Theory]
    [InlineData("""{"id":"1","status":"final","issued":"2026-01-01T00:00:00Z","valueQuantity":{"value":72}}""", """{"id":"2","status":"amended","issued":"2026-01-02T00:00:00Z","valueQuantity":{"value":72}}""", true)]
    [InlineData("""{"status":"final","valueQuantity":{"value":72}}""", """{"status":"final","valueQuantity":{"value":73}}""", false)]
    public void A_reading_sent_again_may_differ_in_when_it_was_taken_in(string left, string right, bool same) =>
        Assert.Equal(same, ResourceComparison.SameReading(Root(left), Root(right)));

    private static ResourceNode Root(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root;
}
