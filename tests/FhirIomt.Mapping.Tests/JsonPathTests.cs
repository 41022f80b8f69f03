using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Tests;

/// <summary>The dialect as the connector's JSONPath library behaves. Its answers were observed by running it on these rows, oddities included.</summary>
public sealed class JsonPathTests
{
    [Theory]
    [InlineData("""[{"a":"5"},{"a":5},{"a":5.0},{"a":"5.0"}]""", "$[?(@.a == 5)]", """{"a":5} {"a":5.0}""")]
    [InlineData("""[{"a":"5"},{"a":5}]""", "$[?(@.a == '5')]", """{"a":"5"}""")]
    [InlineData("""[{"a":"5"},{"a":5},{"a":5.0}]""", "$[?(@.a === 5)]", """{"a":5} {"a":5.0}""")]
    [InlineData("""[{"a":"5"},{"a":5},{"a":5.0}]""", "$[?(@.a !== 5)]", """{"a":"5"}""")]
    [InlineData("""[{"a":{}},{"a":[5]},{"a":6}]""", "$[?(@.a !== 5)]", """{"a":6}""")]
    [InlineData("""{"a":{"b":1}}""", "$..['b','b']", "1 1")]
    [InlineData("""[1,2,3,4]""", "$[-2::2]", "3")]
    [InlineData("""[1,2,3,4]""", "$[2:0:-1]", "3 2")]
    [InlineData("""[1,2,3,4]""", "$[::-2]", "4 2")]
    [InlineData("""[1,2,3,4]""", "$[5:]", "")]
    [InlineData("""[1,2,3,4]""", "$[2::2147483647]", "3")]
    [InlineData("""[{"a":"5"},{"a":5}]""", "$[?(@.a != 5)]", """{"a":"5"}""")]
    [InlineData("""[{"a":"70"},{"a":7}]""", "$[?(@.a > 60)]", """{"a":"70"}""")]
    [InlineData("""[{"a":"70.5"},{"a":7}]""", "$[?(@.a > 60.0)]", """{"a":"70.5"}""")]
    [InlineData("""[{"a":70.5},{"a":60.4},{"a":60}]""", "$[?(@.a > 60)]", """{"a":70.5} {"a":60.4}""")]
    [InlineData("""[{"a":null},{"a":true},{"a":{}},{}]""", "$[?(@.a != 5)]", """{"a":null} {"a":true} {"a":{}}""")]
    [InlineData("""[{"a":null},{"a":true},{"a":{}},{}]""", "$[?(@.a == null)]", """{"a":null}""")]
    [InlineData("""[{"a":null},{"a":true},{"a":{}},{}]""", "$[?(@.a < 5)]", """{"a":null}""")]
    [InlineData("""[{"a":null},{"a":5}]""", "$[?(@.a > 5)]", "")]
    [InlineData("""[{"a":null},{"b":5}]""", "$[?(@.a)]", """{"a":null}""")]
    [InlineData("""{"a":{"x":1},"b":{"x":2}}""", "$[?(@.x)]", "")]
    [InlineData("""{"a":{"x":1},"b":{"x":2}}""", "$..[?(@.x)]", """{"x":1} {"x":2}""")]
    [InlineData("""{"hr":1}""", "$..[?(@hr)]", """{"hr":1}""")]
    [InlineData("""{"a b":1}""", "$..[?(@['a b'])]", """{"a b":1}""")]
    [InlineData("""{"a":{"x":1},"b":{"x":2}}""", "$..[?(@.x == 1 || @.x == 2 && @.y)]", """{"x":1}""")]
    [InlineData("""{"a":{"x":1,"y":2},"b":{"x":2}}""", "$..[?(@.x && @.y || @.x)]", """{"x":1,"y":2} {"x":2}""")]
    [InlineData("""{"a":[1,2,3]}""", "$..[0]", "")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[-1]", "")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[-1:]", "3")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[::-1]", "3 2 1")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[1:]", "2 3")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[ 0 , 2 ]", "1 3")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[5,1]", "2")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[*]", "1 2 3")]
    [InlineData("""{"a":[1,2,3]}""", "$[*]", "")]
    [InlineData("""{"a":[1,2,3]}""", "$.a(0)", "1")]
    [InlineData("""{"a":[1,2,3],"b":7}""", "$['a','b']", "[1,2,3] 7")]
    [InlineData("""{"a":[1,2,3],"b":7}""", "$..['a','b']", "[1,2,3] 7")]
    [InlineData("""{"a":[1,2],"b":7}""", "$..*", """{"a":[1,2],"b":7} [1,2] 1 2 7""")]
    [InlineData("""{"a":[1,2],"b":7}""", "$.*", "[1,2] 7")]
    [InlineData("""{"a":[1,2,3],"b":2}""", "$.a[?(@ > $.b)]", "3")]
    [InlineData("""{"a":[1,2,3]}""", "$.a[?(@ > 1)]", "2 3")]
    [InlineData("""{"a":[{"n":"Abc"},{"n":5}]}""", "$.a[?(@.n =~ /^a/i)]", """{"n":"Abc"}""")]
    [InlineData("""{"a":[{"n":"Abc"}]}""", "$.a[?(@.n =~ /^a/)]", "")]
    [InlineData("""{"a":[{"n":5}]}""", "$.a[?(5 == @.n)]", """{"n":5}""")]
    [InlineData("""{"a":[{"n":5}]}""", "$.a[?(@.n >= '5')]", """{"n":5}""")]
    [InlineData("""{"a":[{"n":"10"}]}""", "$.a[?(@.n >= '9')]", "")]
    [InlineData("""{"a":[{"n":true}]}""", "$.a[?(@.n == 'True')]", "")]
    [InlineData("""{"a":[{"n":true}]}""", "$.a[?(@.n > 0)]", """{"n":true}""")]
    [InlineData("""{"a":[{"n":{"z":1}}]}""", "$.a[?(@.n == 5)]", "")]
    [InlineData("""{"a":[{"n":[{"z":1}]}]}""", "$.a[?(@.n[?(@.z == 1)])]", """{"n":[{"z":1}]}""")]
    [InlineData("""{"a-b":1}""", "$.a-b", "1")]
    [InlineData("""{"a":1}""", "a", "1")]
    [InlineData("""{"a":1}""", "$", """{"a":1}""")]
    [InlineData("""{"a":1}""", "$a", "")]
    [InlineData("""{"a":1}""", " $.a ", "1")]
    [InlineData("""{"a":1}""", "$.a.b", "")]
    [InlineData("""{"a":1}""", "$.['a']", "1")]
    [InlineData("""{"a":[{"b":"x'y"}]}""", """$.a[?(@['b'] == 'x\'y')].b""", "\"x'y\"")]
    [InlineData("""{"a":[{"b":1}]}""", "$.a[?(@.b <> 2)]", """{"b":1}""")]
    [InlineData("""{"a":"x"}""", "$..[?(@ == 'x')]", "\"x\"")]
    [InlineData("""{"a":{"b":{"a":3}}}""", "$..a", """{"b":{"a":3}} 3""")]
    [InlineData("""{"\u0061":1}""", "$.a", "1")]
    public void A_path_finds_what_the_connector_finds(string json, string path, string expected)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();
        Assert.Equal(expected, Find(path, PathScope.At(tree, 0)));
    }

    [Theory]
    [InlineData("$..[?(@hr", 10)]
    [InlineData("$..", 4)]
    [InlineData("$.", 3)]
    [InlineData("$.a b", 5)]
    [InlineData("$.a]", 4)]
    [InlineData("$.a[0", 5)]
    [InlineData("$.a[0]b", 7)]
    [InlineData("$.a[x]", 5)]
    [InlineData("$[\"a\"]", 3)]
    [InlineData("$.a[::0]", 5)]
    [InlineData("$.a[?(!@.b)]", 7)]
    [InlineData("$.a[?((@.b))]", 7)]
    [InlineData("$.a[?(@.b = 1)]", 11)]
    [InlineData("$.a[?(@.b == 1 & @.c)]", 16)]
    [InlineData("$.a[?(@.b =~ /[/)]", 17)]
    [InlineData("$['a", 5)]
    public void A_broken_path_is_refused_where_it_breaks(string path, int position)
    {
        Assert.Null(JsonPathExpression.Parse(path, out var error));
        Assert.Equal(position, error!.Position);
    }

    [Theory]
    [InlineData("$.matchedToken.hr", "61")]
    [InlineData("$.Body.dev", "\"d\"")]
    [InlineData("$..hr", "61 61")]
    [InlineData("$..matchedToken", """{"hr":61}""")]
    [InlineData("$.*", """{"dev":"d","data":[{"hr":61}]} {"hr":61}""")]
    public void Calculated_templates_see_the_match_as_a_root_member(string path, string expected)
    {
        var tree = JsonTree.Parse("""{"Body":{"dev":"d","data":[{"hr":61}]},"matchedToken":"hidden"}"""u8.ToArray()).Require();
        var match = tree.Root["Body"u8]["data"u8].First();
        Assert.Equal(expected, Find(path, PathScope.WithMatch(tree, match.Index)));
    }

    [Fact]
    public void A_pattern_that_backtracks_without_end_does_not_match()
    {
        var json = JsonTree.Parse(Encoding.UTF8.GetBytes($$"""{"a":"{{new string('a', 40)}}!"}""")).Require();
        Assert.Equal("", Find("$..[?(@.a =~ /^(a+)+$/)]", PathScope.At(json, 0)));
    }

    private static string Find(string text, PathScope scope)
    {
        var path = JsonPathExpression.Parse(text, out var error);
        Assert.True(path is not null, error?.Message);
        var found = new RowBuffer(stackalloc int[2], int.MaxValue);
        path.Select(scope, ref found);
        var results = new List<string>();
        for (var i = 0; i < found.Count; i++)
        {
            results.Add(scope.NodeAt(found[i]).ToString());
        }

        found.Dispose();
        return string.Join(' ', results);
    }
}
