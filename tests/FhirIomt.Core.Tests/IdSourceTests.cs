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
    public void Secrets_have_256_bits() => Assert.Matches("^[A-Za-z0-9_-]{43}$", IdSource.Random.NewSecret());
}
