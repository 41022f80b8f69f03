using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage.Tests;

public sealed class StampTests
{
    private static readonly string[] Members =
    [
        "\"resourceType\" : \"Basic\"", "\"id\":\"theirs\"", "\"meta\":{ \"tag\" : [{\"code\":\"ü\"}], \"versionId\":\"77\",\"lastUpdated\" : \"2001-01-01T00:00:00Z\",\"source\":\"urn:x\"}", "\"implicitRules\":\"urn:\\u0041\"", "\"language\" : \"en\"",
    ];

    /// <summary>Every order of a resource's members, with id and meta and without.</summary>
    [Fact]
    public async Task Everything_but_the_stamp_stays_as_it_came_in_every_order()
    {
        await using var store = TestStore.New();
        var number = 0;
        foreach (var members in Subsets().SelectMany(Permutations))
        {
            var id = $"b-{number++}";
            var came = "{ " + string.Join(" ,\n ", members) + " }";
            var stored = await store.PutAsync(id, came);
            var text = Encoding.UTF8.GetString(stored.Body.Span);
            var root = JsonTree.Parse(stored.Body).Require().Root;

            Assert.Equal(id, root["id"u8].AsString());
            Assert.Equal("1", root["meta"u8]["versionId"u8].AsString());
            Assert.Equal(stored.LastUpdated, DateTimeOffset.Parse(root["meta"u8]["lastUpdated"u8].AsString()!, System.Globalization.CultureInfo.InvariantCulture));
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", root["meta"u8]["lastUpdated"u8].AsString());
            Assert.Equal(came.Contains("\"meta\"", StringComparison.Ordinal) ? 4 : 2, root["meta"u8].Count);
            foreach (var member in members.Where(member => !member.StartsWith("\"id\"", StringComparison.Ordinal) && !member.StartsWith("\"meta\"", StringComparison.Ordinal)))
            {
                Assert.Contains(member, text, StringComparison.Ordinal);
            }

            Assert.Equal(members.Union(["\"id\"", "\"meta\""]).Select(member => member.Split('"')[1]).Distinct().Count(), root.Count);
            Assert.Equal(came.Contains("\"meta\"", StringComparison.Ordinal), text.Contains("\"tag\":[{\"code\":\"ü\"}]", StringComparison.Ordinal));
        }

        Assert.Equal(6 + 24 + 24 + 120, number);
    }

    private static IEnumerable<string[]> Subsets() =>
        from withId in new[] { false, true }
        from withMeta in new[] { false, true }
        select Members.Where((_, index) => (index != 1 || withId) && (index != 2 || withMeta)).ToArray();

    private static IEnumerable<string[]> Permutations(string[] members) =>
        members.Length <= 1 ? [members] : members.SelectMany((first, index) => Permutations([.. members[..index], .. members[(index + 1)..]]).Select(rest => (string[])[first, .. rest]));
}
