using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Tests;

/// <summary>Mapping is a hot path: the budget is 1 KB per message, its parsed table included. Measured: 768 bytes for the message below.</summary>
public sealed class MappingAllocationTests
{
    [Fact]
    public void A_message_is_parsed_and_mapped_within_one_kilobyte()
    {
        var vitals = BuiltInMappings.All.Single(mapping => mapping.Name == "vitals").Set;
        var context = new MappingContext(null, default);
        var message = Encoding.UTF8.GetBytes("""{"Body":{"deviceId":"device-0001","time":"2026-02-01T22:46:01.875Z","heartRate":78},"Properties":{},"SystemProperties":{}}""");
        Assert.Single(vitals.Map(JsonTree.Parse(message).Require(), context).Readings);

        const int Messages = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Messages; i++)
        {
            vitals.Map(JsonTree.Parse(message).Require(), context);
        }

        var perMessage = (GC.GetAllocatedBytesForCurrentThread() - before) / Messages;
        Assert.True(perMessage <= 1024, $"{perMessage} bytes per message");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void A_message_is_normalised_by_JMESPath_within_one_kilobyte(int templates)
    {
        var template = """{"templateType":"CalculatedContent","template":{"typeName":"NAME","defaultExpressionLanguage":"JmesPath","typeMatchExpression":"[Body][?NAME]","deviceIdExpression":"matchedToken.deviceId","timestampExpression":"matchedToken.time","values":[{"valueName":"v","valueExpression":"matchedToken.NAME","required":true}]}}""";
        var names = Enumerable.Range(1, templates - 1).Select(index => "other" + index).Append("heartRate");
        var device = $$"""{"templateType":"CollectionContent","template":[{{string.Join(',', names.Select(name => template.Replace("NAME", name, StringComparison.Ordinal)))}}]}""";
        var set = MappingSet.Load(Encoding.UTF8.GetBytes(device), null, indexed: true).Require();
        var context = new MappingContext(null, default);
        var message = Encoding.UTF8.GetBytes("""{"Body":{"deviceId":"device-0001","time":"2026-02-01T22:46:01.875Z","heartRate":78},"Properties":{},"SystemProperties":{}}""");
        Assert.Single(set.Normalise(JsonTree.Parse(message).Require(), context));

        const int Messages = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Messages; i++)
        {
            set.Normalise(JsonTree.Parse(message).Require(), context);
        }

        var perMessage = (GC.GetAllocatedBytesForCurrentThread() - before) / Messages;
        Assert.True(perMessage <= 1024, $"{perMessage} bytes per message");
    }

    /// <summary>Measured: 1,504 bytes. A rule has more to it than a template: conditions, a key, two times, a resource that is checked.</summary>
    [Fact]
    public void A_record_of_a_watch_is_parsed_and_mapped_within_two_kilobytes()
    {
        var apple = BuiltInMappings.All.Single(mapping => mapping.Name == "apple-health").Set;
        var context = new MappingContext(null, default);
        var message = """
            {"Body":{"Record":{"type":"HKQuantityTypeIdentifierHeartRate","sourceName":"Watch","sourceVersion":"9.1","unit":"count/min","creationDate":"2026-03-01 00:00:05 +0100","startDate":"2026-03-01 00:00:05 +0100","endDate":"2026-03-01 00:00:05 +0100","value":"61","metadata":{"HKMetadataKeyHeartRateMotionContext":"1"}}}}
            """u8.ToArray();
        Assert.Single(apple.Map(JsonTree.Parse(message).Require(), context).Readings);

        const int Messages = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Messages; i++)
        {
            apple.Map(JsonTree.Parse(message).Require(), context);
        }

        var perMessage = (GC.GetAllocatedBytesForCurrentThread() - before) / Messages;
        Assert.True(perMessage <= 2048, $"{perMessage} bytes per message");
    }
}
