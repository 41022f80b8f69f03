using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Tests;

/// <summary>What goes beyond the public suite: the functions that JmesPath.Net and the connector add, exact numbers, and how tokens are selected.</summary>
public sealed class JmesPathTests
{
    [Theory]
    [InlineData("items({a: `1`, b: `2`})", """[["a",1],["b",2]]""")]
    [InlineData("to_object([['a', `1`], ['b', `2`]])", """{"a":1,"b":2}""")]
    [InlineData("zip([`1`, `2`, `3`], ['a', 'b'])", """[[1,"a"],[2,"b"]]""")]
    [InlineData("let({outer: name}, &list[*].{v: v, o: outer})", """[{"v":1,"o":"n"},{"v":2,"o":"n"}]""")]
    [InlineData("let({x: `1`}, &let({y: `2`}, &[x, y]))", "[1,2]")]
    [InlineData("outer", "null")]
    [InlineData("add(`0.1`, `0.2`)", "0.3")]
    [InlineData("sum([`0.1`, `0.2`])", "0.3")]
    [InlineData("divide(`40`, `50`)", "0.8")]
    [InlineData("divide(`1`, `3`)", "0.33333333333333")]
    [InlineData("multiply(`0.5`, `100.0`)", "50")]
    [InlineData("pow(`2`, `10`)", "1024")]
    [InlineData("pow(`100`, `0.5`)", "10")]
    [InlineData("precise", "78.50")]
    [InlineData("to_number('78.50')", "78.50")]
    [InlineData("to_number(' 7 ')", "7")]
    [InlineData("to_number('1e3')", "1000")]
    [InlineData("to_number('78,5')", "null")]
    [InlineData("insertString(name, 'x', length(name))", "\"nx\"")]
    [InlineData("fromUnixTimestamp(`1625677200`)", "\"2021-07-07T17:00:00Z\"")]
    [InlineData("fromUnixTimestampMs(`1625677200500`)", "\"2021-07-07T17:00:00.5Z\"")]
    [InlineData("escaped", "1")]
    public void A_value_is_computed(string expression, string expected) => Assert.Equal(expected, Evaluate(expression, out _));

    [Theory]
    [InlineData("divide(`1`, `0`)", "invalid-value")]
    [InlineData("divide(`1.0`, `0.0`)", "invalid-value")]
    [InlineData("pow(`40`, `50`)", "invalid-value")]
    [InlineData("fromUnixTimestamp('1')", "invalid-type")]
    [InlineData("fromUnixTimestamp(`1.5`)", "invalid-type")]
    [InlineData("fromUnixTimestamp(`253402300800`)", "invalid-value")]
    [InlineData("insertString('a', 'b', `2`)", "invalid-value")]
    [InlineData("to_object([[`1`, `2`]])", "invalid-value")]
    public void What_has_no_value_fails_with_its_kind(string expression, string kind)
    {
        Evaluate(expression, out var error);
        Assert.Equal(kind, error?.Kind);
    }

    [Theory]
    [InlineData("a.[", 4)]
    [InlineData("nosuch(@)", 1)]
    [InlineData("length()", 1)]
    [InlineData("a == ", 6)]
    [InlineData("list[", 6)]
    [InlineData("a[`x`", 3)]
    [InlineData("'open", 1)]
    public void A_broken_expression_is_refused_where_it_breaks(string expression, int position)
    {
        Assert.Null(JmesPathExpression.Parse(expression, out var error));
        Assert.Equal(position, error!.Position);
    }

    [Fact]
    public void An_expression_nested_without_end_is_refused() =>
        Assert.Null(JmesPathExpression.Parse(new string('(', 100_000) + "a" + new string(')', 100_000), out _));

    [Theory]
    [InlineData("list[*].v", "1 2")]
    [InlineData("list[?v > `1`].v", "2")]
    [InlineData("list", """[{"v":1},{"v":2}]""")]
    [InlineData("list[*].v | @", "[1,2]")]
    [InlineData("(list[*].v)", "[1,2]")]
    [InlineData("none[*].v || list[*].v", "1 2")]
    [InlineData("none", "")]
    [InlineData("[name]", """["n"]""")]
    public void Elements_of_a_projection_are_tokens_and_everything_else_is_one(string expression, string tokens)
    {
        var found = JmesPathExpression.Parse(expression, out _)!.SelectAll(PathScope.At(Document, 0), out _);
        Assert.Equal(tokens, string.Join(' ', found.Select(node => node.ToString())));
    }

    [Theory]
    [InlineData("list[*].v", nameof(PathFinding.Several))]
    [InlineData("list[?v == `1`].v", nameof(PathFinding.One))]
    [InlineData("list[?v == `9`].v", nameof(PathFinding.Nothing))]
    [InlineData("none", nameof(PathFinding.Nothing))]
    [InlineData("divide(`1`, `0`)", nameof(PathFinding.Failed))]
    public void One_value_is_asked_for(string expression, string expected) =>
        Assert.Equal(expected, JmesPathExpression.Parse(expression, out _)!.SelectOne(PathScope.At(Document, 0), out _, out _).ToString());

    [Theory]
    [InlineData("matchedToken.v", "2")]
    [InlineData("keys(@)", """["Body","matchedToken"]""")]
    [InlineData("Body.list[0].v", "1")]
    [InlineData("contains(values(@), matchedToken)", "true")]
    public void The_match_is_a_member_of_the_event(string expression, string expected)
    {
        var tree = JsonTree.Parse("""{"Body":{"list":[{"v":1},{"v":2}]},"matchedToken":"hidden"}"""u8.ToArray()).Require();
        var second = JmesPathExpression.Parse("Body.list[1]", out _)!.SelectAll(PathScope.At(tree, 0), out _)[0];
        JmesPathExpression.Parse(expression, out _)!.SelectOne(PathScope.WithMatch(tree, second.Index), out var node, out _);
        Assert.Equal(expected, node.ToString());
    }

    private static readonly JsonTree Document = JsonTree.Parse("""{"name":"n","list":[{"v":1},{"v":2}],"precise":78.50,"\u0065scaped":1}"""u8.ToArray()).Require();

    private static string Evaluate(string expression, out JmesError? error)
    {
        var run = new JmesRun(integerArithmetic: false);
        var parsed = JmesPathExpression.Parse(expression, out var refusal);
        Assert.True(parsed is not null, refusal?.Message);
        var value = parsed.Evaluate(JmesValue.Of(Document.Root), run);
        error = run.Error;
        return JmesFunctions.Json(value);
    }
}
