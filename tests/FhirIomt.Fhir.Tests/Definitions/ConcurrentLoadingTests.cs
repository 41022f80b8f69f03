using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.Tests.Definitions;

public sealed class ConcurrentLoadingTests
{
    /// <summary>Elements and members are compared by identity, so two threads that read a table at once must get the same one.</summary>
    [Fact]
    public void Threads_that_read_a_type_at_the_same_time_see_one_table()
    {
        for (var round = 0; round < 20; round++)
        {
            var definitions = new FhirDefinitions(DefinitionFile.Embedded());
            var seen = new List<FhirMember>[4];
            using var start = new Barrier(seen.Length);
            var threads = Enumerable.Range(0, seen.Length).Select(index => new Thread(() =>
            {
                start.SignalAndWait();
                seen[index] = [.. definitions.Types.SelectMany(type => type.Elements.SelectMany(element => element.Members))];
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            Assert.All(seen, members => Assert.True(members.SequenceEqual(seen[0], ReferenceEqualityComparer.Instance)));
        }
    }
}
