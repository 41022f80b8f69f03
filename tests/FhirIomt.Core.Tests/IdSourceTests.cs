namespace FhirIomt.Core.Tests;

public sealed class IdSourceTests
{
    [Fact]
    public void Ids_are_FHIR_ids_and_differ()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => IdSource.Random.NewId()).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(1000, ids.Count);
        Assert.All(ids, id => Assert.Matches("^[a-z0-9]{26}$", id));
    }

    [Fact]
    public async Task Ids_stand_in_the_order_of_their_time()
    {
        var earlier = IdSource.Random.NewId();
        await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        var later = IdSource.Random.NewId();

        Assert.True(string.CompareOrdinal(earlier, later) < 0, $"{earlier} {later}");
        Assert.NotEqual(earlier[10..], later[10..]);
    }

    [Fact]
    public void Secrets_have_256_bits() => Assert.Matches("^[A-Za-z0-9_-]{43}$", IdSource.Random.NewSecret());
}
