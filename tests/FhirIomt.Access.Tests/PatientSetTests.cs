namespace FhirIomt.Access.Tests;

public sealed class PatientSetTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void Within_some_are_those_that_it_has_of_them(int count)
    {
        var all = Enumerable.Range(0, count).Select(number => $"p{number}").ToList();
        var set = PatientSet.Of(all);
        foreach (var asked in (string[][])[[], ["p0"], ["p2"], ["x"], ["p0", "x"], ["p2", "p0", "p0"], [.. Enumerable.Range(0, 50).Select(number => $"p{number}")]])
        {
            var within = set.Within(asked);
            Assert.Equal(all.Intersect(asked, StringComparer.Ordinal).Order(StringComparer.Ordinal), within.Ids.Order(StringComparer.Ordinal));
            Assert.All(asked, id => Assert.Equal(all.Contains(id, StringComparer.Ordinal), within.Contains(id)));
        }
    }
}
