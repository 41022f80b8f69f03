using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Tests;

/// <summary>Windows by themselves: what the connector wrote is carried on, nothing is lost.</summary>
public sealed class WindowTests
{
    private readonly GoldenShelf _shelf = new();

    [Fact]
    public void An_hour_that_the_connector_wrote_is_known_again_and_carried_on()
    {
        var mapping = Load(60, Samples(600_000));
        var hour = Place(mapping, (1, "22:06:01"), (2, "22:46:01"))[0];
        Forget(hour.Key);
        Assert.Equal([WindowPlace.Known, WindowPlace.Known], Place(mapping, (1, "22:06:01"), (2, "22:46:01")).Select(placed => placed.Place));
        Assert.Equal([WindowPlace.Taken], Place(mapping, (5, "22:26:01")).Select(placed => placed.Place));
        Assert.Equal("1 E 5 E 2 E", Data(hour.Key));
    }

    [Fact]
    public void A_day_of_seconds_that_the_connector_wrote_is_carried_on_whatever_its_length()
    {
        var lossy = Load(1440, Samples(1000), "\"connectorDefects\":[\"samplesUnchecked\"],");
        var day = Place(lossy, (1, "00:00:00")).Single();
        Assert.Equal(86_400, Data(day.Key).Split(' ').Length);
        Forget(day.Key);
        Assert.Equal(day.Key, Place(Load(1440, Samples(1000)), (2, "23:59:59")).Single().Key);
        Assert.EndsWith(" 2", Data(day.Key), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stored_finer_grid_is_not_made_coarser()
    {
        Place(Load(60, Samples(600_000)), (1, "22:06:01"), (2, "22:16:01"));
        var apart = Place(Load(60, Samples(1_800_000)), (3, "22:46:01")).Single();
        Assert.Equal(WindowPlace.Apart, apart.Place);
    }

    [Fact]
    public void A_stored_coarser_grid_is_made_finer_without_moving_samples()
    {
        var key = Place(Load(60, Samples(1_800_000)), (1, "22:00:00"), (2, "22:30:00"))[0].Key;
        Assert.Equal(WindowPlace.Taken, Place(Load(60, Samples(600_000)), (3, "22:10:00")).Single().Place);
        Assert.Equal("1 3 E 2 E E", Data(key));
    }

    [Fact]
    public void Readings_in_any_order_and_any_batches_are_each_stored_once()
    {
        var mapping = Load(-1, Samples(1000));
        var random = new Random(7);
        var readings = Enumerable.Range(0, 300).Select(index => (Value: index, Time: TimeSpan.FromMilliseconds(random.Next(0, 3_600_000)))).DistinctBy(reading => reading.Time).ToList();
        var apart = new HashSet<TimeSpan>();
        for (var round = 0; round < 2; round++)
        {
            foreach (var batch in readings.OrderBy(_ => random.Next()).Chunk(17))
            {
                foreach (var placed in Place(mapping, [.. batch.Select(reading => (reading.Value, reading.Time.ToString("hh\\:mm\\:ss\\.fff", CultureInfo.InvariantCulture)))]))
                {
                    if (placed.Place == WindowPlace.Apart)
                    {
                        apart.Add(placed.Reading.Start.TimeOfDay);
                    }

                    Assert.True(round == 0 || placed.Place is WindowPlace.Known or WindowPlace.Apart);
                }
            }
        }

        var stored = _shelf.Store.Values.SelectMany(observation => ((string)observation["valueSampledData"]!["data"]!).Split(' ')).Count(token => token != "E");
        Assert.Equal(readings.Count, stored + apart.Count);
        Assert.All(_shelf.Store.Values, observation => Assert.True(((string)observation["valueSampledData"]!["data"]!).Split(' ').Length <= 2000));
    }

    [Fact]
    public void A_sample_that_is_no_number_is_refused()
    {
        var result = Load(60, Samples(600_000)).Map(Message("\"n/a x\"", "22:00:00"), new MappingContext(null, default));
        Assert.Equal("IOMT-0428", Assert.Single(result.Issues).Code);
    }

    private IReadOnlyList<PlacedReading> Place(MappingSet mapping, params (int Value, string Time)[] messages)
    {
        var readings = messages.SelectMany(message => mapping.Map(Message(message.Value.ToString(CultureInfo.InvariantCulture), message.Time), new MappingContext(null, default)).Readings).ToList();
        var resolved = new ResolvedReading(readings[0].SourceKey("p", "d", withFraction: true), "p", "d", null, default, Amended: false);
        return readings[0].Place(readings, resolved, _shelf);
    }

    // As if the connector had written it: the resource is there, what we remember beside it is not.
    private void Forget(SourceKey key) => _shelf.Put(key, null, default);

    private string Data(SourceKey key) => (string)_shelf.Store[key.ResourceId]["valueSampledData"]!["data"]!;

    private static string Samples(int period) => $$"""{"valueType":"SampledData","valueName":"hr","unit":"/min","defaultPeriod":{{period}}}""";

    private static JsonTree Message(string value, string time) =>
        JsonTree.Parse(Encoding.UTF8.GetBytes($$"""{"Body":{"hr":{{value}},"dev":"d","c":"s1","t":"2019-02-01T{{time}}Z"} }""")).Require();

    private static MappingSet Load(int period, string value, string extra = "") => MappingSet.Load(
        Encoding.UTF8.GetBytes($$"""{"templateType":"CollectionContent",{{extra}}"template":[{"templateType":"JsonPathContent","template":{"typeName":"hr","typeMatchExpression":"$..[?(@hr)]","deviceIdExpression":"$.dev","timestampExpression":"$.t","correlationIdExpression":"$.c","values":[{"valueName":"hr","valueExpression":"$.hr","required":true}]} }]}"""),
        Encoding.UTF8.GetBytes($$"""{"templateType":"CollectionFhir","template":[{"templateType":"CodeValueFhir","template":{"typeName":"hr","codes":[{"code":"8867-4","system":"http://loinc.org"}],"periodInterval":{{period}},"value":{{value}}} }]}""")).Require();
}
