using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Rules;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Tests;

/// <summary>What makes rules fast says the same as the long way.</summary>
public sealed class RuleShortcutTests
{
    private static readonly string[] Conditions =
    [
        "@.kind == 'a'", "'b' == @.kind", "@.kind != 'a'", "match(@.kind, 'a|b')", "search(@.kind, 'b')", "!match(@.kind, 'a|b')", "match(@.kind, 'a.*') && @.kind != 'a'", "@.kind == 'a' || @.other",
        "@.kind == 'a' && @.in.kind == 'b'", "@.kind == 'c' && !(@.kind == 'a')", "@.kind", "!@.kind", "@.kind == 7", "@.kind == null", "@.kind == @.other", "@.kind < 'b'", "match(@.kind, @.other)", "$.Body.x.kind == 'a'",
        "@.kind == 'a' && @.kind == 'b'", "!(@.kind == 'a' || @.kind == 'b')", "@['kind'] == 'a'", "@.kind == '\u00e9'", "@.kind == 'a'][?@.kind == 'b'", "@.kind == 'a'].in[?@.kind",
    ];

    private static readonly string[] Bodies =
    [
        """{"x":{"kind":"a"}}""", """{"x":{"kind":"b"}}""", """{"x":{"kind":"ab"}}""", """{"x":{"kind":"c","other":"a"}}""", """{"x":{"kind":"a","in":{"kind":"b"}}}""", """{"x":{"kind":"c","in":{"kind":"a"}}}""",
        """{"x":{"kind":7}}""", """{"x":{"kind":null}}""", """{"x":{"kind":""}}""", """{"x":{"other":1}}""", """{"x":{"k\u0069nd":"a"}}""", """{"x":{"kind":"\u0061"}}""", """{"x":{"kind":["a"]},"y":{"kind":"b"}}""",
        """{"x":{"kind":"é"}}""", """{"x":{"kind":"a","in":{"y":{"kind":"b"},"kind":"b"}}}""", """[{"kind":"a"},{"kind":"b"}]""", """{"x":"a"}""", "{}", "\"a\"",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Rules_are_found_by_the_text_they_ask_for_just_as_by_trying_each(int times)
    {
        var rules = string.Join(',', Enumerable.Range(0, Conditions.Length * times).Select(number =>
            $$"""{"name":"r{{number}}","match":"$.Body[?{{Conditions[number % Conditions.Length]}}]","time":"message $.Properties.t","resource":{"resourceType":"Observation"} }"""));
        var set = MappingSet.Load(Encoding.UTF8.GetBytes($$"""{"templateType":"FhirIomt","rules":[{{rules}}]}"""), default).Require();
        Assert.NotNull(TextIndex.For([.. Enumerable.Repeat(set.Rules!.Rules[0].Match, 2)]));
        foreach (var body in Bodies)
        {
            var message = Message(body);
            var (one, other) = (new List<RuleReading>(), new List<RuleReading>());
            var tried = set.Rules.Rules.Sum(rule => rule.Run(message, null, new IssueSink(), one));
            Assert.Equal(tried, set.Rules.Run(message, null, new IssueSink(), other));
            Assert.Equal(one.Select(reading => reading.Type), other.Select(reading => reading.Type));
        }
    }

    [Fact]
    public void Few_rules_are_left_to_try_where_most_ask_for_a_text()
    {
        JsonPathExpression[] matches = [.. Conditions[..5].Append("@.other").Select(condition => JsonPathExpression.ParseStandard($"$.Body[?{condition}]", out _)!)];
        var candidates = new ulong[1];
        TextIndex.For(matches)!.Find(Message("""{"x":{"kind":"b"}}""").Root, candidates);
        Assert.Equal(0b11_1110ul, candidates[0]);
        TextIndex.For(matches)!.Find(Message("""{"x":{}}""").Root, candidates);
        Assert.Equal(0b10_0100ul, candidates[0]);
    }

    [Fact]
    public void A_reading_is_checked_as_if_it_were_made()
    {
        var (seen, refused) = (0, 0);
        foreach (var message in BuiltInMappings.All.SelectMany(mapping => mapping.Set.Samples).Select(Envelope))
        {
            foreach (var (rule, resource, match) in from mapping in BuiltInMappings.All
                                                    from rule in mapping.Set.Rules?.Rules ?? []
                                                    from resource in rule.Resources
                                                    from match in rule.Match.SelectAll(PathScope.At(message, 0), out _).Append(message.Root)
                                                    select (rule, resource, match))
            {
                var (made, checkedOnly) = (new RuleRun(message, match), new RuleRun(message, match));
                resource.Body.Evaluate(made);
                resource.Body.Check(checkedOnly);
                Assert.Equal(Words(made.Issue), Words(checkedOnly.Issue));
                seen++;
                refused += made.Issue is null ? 0 : 1;
            }
        }

        Assert.InRange(refused, 1, seen - 1);

        static string? Words(Issue? issue) => issue is null ? null : issue.Code + issue.Message;
    }

    private static JsonTree Envelope(ReadOnlyMemory<byte> sample) =>
        JsonNode.Parse(sample.Span) is JsonObject parsed && parsed.ContainsKey("Body") ? JsonTree.Parse(sample).Require() : Message(Encoding.UTF8.GetString(sample.Span));

    private static JsonTree Message(string body) => JsonTree.Parse(Encoding.UTF8.GetBytes("{\"Body\":" + body + ",\"Properties\":{\"t\":\"2026-02-01T22:46:01Z\"}}")).Require();
}
