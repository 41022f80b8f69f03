using System.Text.Json.Nodes;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>The comparer of the terminology suite must be able to say no.</summary>
public sealed class TxComparerTests
{
    [Theory]
    [InlineData("""{"a":1,"b":[1,2]}""", """{"b":[2,1],"a":1}""", true)]
    [InlineData("""{"a":[1,2]}""", """{"a":[1,2,2]}""", false)]
    [InlineData("""{"a":[1,1]}""", """{"a":[1]}""", false)]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", false)]
    [InlineData("""{"a":1,"b":2}""", """{"a":1}""", false)]
    [InlineData("""{"$optional-properties$":["b"],"a":1}""", """{"a":1,"b":2}""", true)]
    [InlineData("""{"$optional-properties$":["b"],"a":1,"b":3}""", """{"a":1,"b":2}""", false)]
    [InlineData("""[{"$optional$":true,"a":1},{"a":2}]""", """[{"a":2}]""", true)]
    [InlineData("""[{"$optional$":true,"a":1},{"a":2}]""", """[{"a":1}]""", false)]
    [InlineData("""[{"$optional$":"version:5","a":1}]""", """[]""", false)]
    [InlineData("""[{"$optional$":true,"a":1},{"a":1}]""", """[{"a":1}]""", true)]
    [InlineData("""{"a":"$uuid$"}""", """{"a":"urn:uuid:00000000-0000-0000-0000-000000000000"}""", true)]
    [InlineData("""{"a":"$uuid$"}""", """{"a":"00000000"}""", false)]
    [InlineData("""{"a":"$choice:x|y$"}""", """{"a":"y"}""", true)]
    [InlineData("""{"a":"$choice:x|y$"}""", """{"a":"z"}""", false)]
    [InlineData("""{"a":"$external:1:part$"}""", """{"a":"a Part of it"}""", true)]
    [InlineData("""{"a":"$external:1:part$"}""", """{"a":"another"}""", false)]
    [InlineData("""{"a":"u|$version$"}""", """{"a":"u|4.0.1"}""", true)]
    [InlineData("""{"a":"u|$version$"}""", """{"a":"u"}""", false)]
    [InlineData("""{"$count-arrays$":["a"],"a":[1,2]}""", """{"a":[3,4]}""", true)]
    [InlineData("""{"$count-arrays$":["a"],"a":[1,2]}""", """{"a":[3]}""", false)]
    public void Answers_are_compared_by_the_rules_of_the_suite(string expected, string actual, bool same) =>
        Assert.Equal(same, TxComparer.Compare(JsonNode.Parse(expected), JsonNode.Parse(actual), "") is null);
}
