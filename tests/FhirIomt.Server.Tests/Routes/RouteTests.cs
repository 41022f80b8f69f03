using System.Globalization;
using System.Text.Json.Nodes;
using FhirIomt.Repository.Readings.Routes;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests.Routes;

/// <summary>One measurement that comes by two routes is kept once, as the route with the higher priority has it.</summary>
public sealed class RouteTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Moment = "2026-03-14T07:24:11Z";

    private RouteDirectory Directory => server.Services.GetRequiredService<RouteDirectory>();

    [Fact]
    public async Task The_route_with_the_higher_priority_becomes_the_next_version_and_the_other_stays_in_the_history()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var first = (await home.ExportAsync("81.25")).Only;
        Assert.Equal("stored", first.Summary);

        var second = (await home.WeighAsync(81250)).Only;

        Assert.Equal(("updated IOMT-0547", first.Observations[0]), (second.Summary, Assert.Single(second.Observations)));
        var now = await home.OnlyAsync("29463-7");
        Assert.Equal((first.Observations[0], "2", "final", $"Device/{home.Scale}"), ($"Observation/{now["id"]}", (string)now["meta"]!["versionId"]!, (string)now["status"]!, (string)now["device"]!["reference"]!));
        var before = await home.GetAsync($"{first.Observations[0]}/_history/1");
        Assert.Equal(($"Device/{home.Phone}", "81.25"), ((string)before["device"]!["reference"]!, before["valueQuantity"]!["value"]!.ToJsonString()));
        var identifiers = now["identifier"]!.AsArray();
        Assert.Equal(2, identifiers.Count);
        Assert.Contains(identifiers, identifier => (string)identifier!["value"]! == (string)before["identifier"]![0]!["value"]!);
        var made = (await home.GetAsync($"Provenance?target={first.Observations[0]}/_history/2"))["entry"]!.AsArray();
        Assert.Contains($"Device/{home.Scale}", Assert.Single(made)!["resource"]!["agent"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_again_by_either_route_changes_nothing()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        await home.ExportAsync("81.25");
        var place = (await home.WeighAsync(81250)).Only.Observations[0];
        for (var time = 0; time < 2; time++)
        {
            var (lower, higher) = ((await home.ExportAsync("81.25")).Only, (await home.WeighAsync(81250)).Only);
            Assert.Equal(("duplicate IOMT-0545", place, "duplicate", place), (lower.Summary, lower.Observations[0], higher.Summary, higher.Observations[0]));
        }

        Assert.Equal("2", (string)(await home.OnlyAsync("29463-7"))["meta"]!["versionId"]!);
    }

    [Fact]
    public async Task Another_value_by_the_lower_route_is_told_and_does_not_overwrite()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var place = (await home.WeighAsync(81250)).Only.Observations[0];

        var lower = (await home.ExportAsync("80")).Only;

        Assert.Equal(("duplicate IOMT-0546", place, "warning"), (lower.Summary, lower.Observations[0], (string)lower.Json["issues"]![0]!["severity"]!));
        var kept = await home.OnlyAsync("29463-7");
        Assert.Equal((81.25m, "1"), ((decimal)kept["valueQuantity"]!["value"]!, (string)kept["meta"]!["versionId"]!));
        Assert.Equal(["IOMT-0546"], new Receipt((await server.GetAsync($"devices/messages/{lower.Id}", home.PhoneCredential)).Json).Codes);
    }

    [Fact]
    public async Task The_route_that_stands_corrects_itself_in_its_place()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var place = (await home.ExportAsync("81.25")).Only.Observations[0];
        var replaced = (await home.WeighAsync(81900)).Only;
        Assert.Equal(("updated IOMT-0547", place), (replaced.Summary, replaced.Observations[0]));
        Assert.Equal("amended", (string)(await home.OnlyAsync("29463-7"))["status"]!);

        var corrected = (await home.WeighAsync(82000)).Only;

        Assert.Equal(("updated", place), (corrected.Summary, corrected.Observations[0]));
        var now = await home.OnlyAsync("29463-7");
        Assert.Equal((82m, "3", 2), ((decimal)now["valueQuantity"]!["value"]!, (string)now["meta"]!["versionId"]!, now["identifier"]!.AsArray().Count));
    }

    [Fact]
    public async Task Of_equal_priority_whoever_comes_first_stays()
    {
        var home = await HomeAsync(phone: 5, scale: 5);
        await home.ExportAsync("81.25");
        Assert.Equal("duplicate IOMT-0545", (await home.WeighAsync(81250)).Only.Summary);
        Assert.Equal($"Device/{home.Phone}", (string)(await home.OnlyAsync("29463-7"))["device"]!["reference"]!);
    }

    [Fact]
    public async Task Pressures_are_the_same_by_what_both_routes_tell_of_them()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        Assert.Equal("stored", (await home.ExportPressureAsync(120, 80)).Only.Summary);
        Assert.Equal("updated IOMT-0547", (await home.PressAsync(120, 80)).Only.Summary);
        Assert.Equal("duplicate IOMT-0545", (await home.ExportPressureAsync(120, 80)).Only.Summary);
        Assert.Equal("duplicate IOMT-0546", (await home.ExportPressureAsync(120, 84)).Only.Summary);
        Assert.Equal(2, (await home.OnlyAsync("85354-9"))["component"]!.AsArray().Count);
    }

    [Fact]
    public async Task Other_moments_other_codes_and_other_people_are_other_readings()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        await home.WeighAsync(81250);
        Assert.Equal("stored", (await home.ExportAsync("81.25", "2026-03-14 08:24:12 +0100")).Only.Summary);
        Assert.Equal("stored", (await home.ExportAsync("1.80", type: "Height", unit: "m")).Only.Summary);
        Assert.Equal(2, await home.CountAsync("29463-7"));

        var neighbour = await HomeAsync(phone: 10, scale: 20, group: home.Group);
        Assert.Equal("stored", (await neighbour.ExportAsync("81.25")).Only.Summary);
        Assert.Equal((2, 1), (await home.CountAsync("29463-7"), await neighbour.CountAsync("29463-7")));
    }

    [Fact]
    public async Task Without_a_route_and_in_another_group_each_is_stored_for_itself()
    {
        var unset = await HomeAsync(phone: null, scale: null);
        Assert.Equal(["stored", "stored"], [(await unset.ExportAsync("81.25")).Only.Summary, (await unset.WeighAsync(81250)).Only.Summary]);
        Assert.Equal(2, await unset.CountAsync("29463-7"));
        var apart = await HomeAsync(phone: 10, scale: null);
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfDevice(apart.Scale), server.Name("elsewhere"), 20), CancellationToken.None);
        Assert.Equal(["stored", "stored"], [(await apart.ExportAsync("81.25")).Only.Summary, (await apart.WeighAsync(81250)).Only.Summary]);
    }

    [Fact]
    public async Task What_was_deleted_stays_so_by_whichever_route_it_comes_again()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var place = (await home.ExportAsync("81.25")).Only.Observations[0];
        await server.DeleteAsync("Observation", place["Observation/".Length..]);

        Assert.Equal(["duplicate", "duplicate"], [(await home.WeighAsync(81250)).Only.Summary, (await home.ExportAsync("81.25")).Only.Summary]);
        Assert.Equal(0, await home.CountAsync("29463-7"));
    }

    [Fact]
    public async Task What_was_stored_before_the_routes_were_set_stays_as_it_is()
    {
        var home = await HomeAsync(phone: null, scale: null);
        var (lower, higher) = ((await home.ExportAsync("81.25")).Only.Observations[0], (await home.WeighAsync(81250)).Only.Observations[0]);
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfDevice(home.Phone), home.Group, 10), CancellationToken.None);
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfDevice(home.Scale), home.Group, 20), CancellationToken.None);

        for (var time = 0; time < 2; time++)
        {
            var (again, too) = ((await home.ExportAsync("81.25")).Only, (await home.WeighAsync(81250)).Only);
            Assert.Equal(("duplicate", lower, "duplicate", higher), (again.Summary, again.Observations[0], too.Summary, too.Observations[0]));
        }

        Assert.Equal(2, await home.CountAsync("29463-7"));
    }

    [Fact]
    public async Task A_reading_that_was_replaced_does_not_come_back_in_another_unit()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var place = (await home.ExportAsync("36.6", type: "BodyTemperature", unit: "degC")).Only.Observations[0];
        Assert.Equal("updated IOMT-0547", (await home.MeasureAsync(71, 366, -1)).Only.Summary);

        var again = (await home.ExportAsync("97.9", type: "BodyTemperature", unit: "degF")).Only;

        Assert.Equal(("duplicate IOMT-0546", place), (again.Summary, again.Observations[0]));
        Assert.Equal("2", (string)(await home.OnlyAsync("8310-5"))["meta"]!["versionId"]!);
    }

    [Fact]
    public async Task Two_mappings_of_one_device_may_be_the_routes()
    {
        var (_, credential, patient, _) = await server.AddWornDeviceAsync(mapping: "nightscout");
        var group = server.Name("glucose");
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfMapping("nightscout"), group, 1), CancellationToken.None);
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfMapping("dexcom"), group, 2), CancellationToken.None);
        var epoch = DateTimeOffset.Parse(Moment, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
        var hub = (await server.PostAsync(credential, $$"""{"type":"sgv","sgv":112,"date":{{epoch}},"device":"bridge","direction":"Flat"}""", "nightscout")).Only;
        Assert.Equal("stored", hub.Summary);

        var maker = (await server.PostAsync(credential, $$"""{"recordType":"egv","records":[{"recordId":"r-1","systemTime":"{{Moment}}","value":112,"status":"ok","unit":"mg/dL"}]}""", "dexcom")).Only;

        Assert.Equal(("updated IOMT-0547", hub.Observations[0]), (maker.Summary, maker.Observations[0]));
        Assert.Equal(1, (await server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", await server.TokenAsync())).Json["total"]!.GetValue<int>());
        Assert.True(await Directory.RemoveAsync(ReadingRoute.OfMapping("nightscout"), CancellationToken.None));
        Assert.True(await Directory.RemoveAsync(ReadingRoute.OfMapping("dexcom"), CancellationToken.None));
    }

    [Fact]
    public async Task Two_devices_that_come_by_one_route_are_two_devices()
    {
        var (ward, cloud, group) = (server.Name("ward"), server.Name("cloud"), server.Name("saturation"));
        var (wardCredential, cloudCredential) = (await server.AddVendorAsync(ward, "hl7v2"), await server.AddVendorAsync(cloud, "vitals"));
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfVendor(ward), group, 9), CancellationToken.None);
        await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfVendor(cloud), group, 1), CancellationToken.None);
        var patient = await server.AddPatientAsync();
        var (left, right, relay) = (server.Name("monitor"), server.Name("monitor"), server.Name("relay"));
        foreach (var (device, vendor) in new[] { (left, ward), (right, ward), (relay, cloud) })
        {
            await server.AddDeviceAsync(device, vendor, patient);
        }

        var one = (await server.PostAsync(wardCredential, Monitor(left, 97), contentType: "application/hl7-v2")).Only;
        var other = (await server.PostAsync(wardCredential, Monitor(right, 97), contentType: "application/hl7-v2")).Only;
        Assert.Equal(("stored", "stored"), (one.Summary, other.Summary));

        var late = (await server.PostAsync(cloudCredential, $$"""{"deviceId":"{{relay}}","time":"{{Moment}}","spo2":97}""")).Only;

        Assert.Equal(("duplicate IOMT-0545", one.Observations[0]), (late.Summary, late.Observations[0]));
    }

    [Fact]
    public async Task Two_routes_at_one_moment_make_one_reading()
    {
        var home = await HomeAsync(phone: 10, scale: 20);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => number % 2 == 0 ? home.ExportAsync("81.25") : home.WeighAsync(81250)));

        Assert.Single(answers.Select(answer => answer.Only.Observations[0]).Distinct(StringComparer.Ordinal));
        Assert.Equal(1, answers.Count(answer => answer.Only.Status == "stored"));
        Assert.Equal($"Device/{home.Scale}", (string)(await home.OnlyAsync("29463-7"))["device"]!["reference"]!);
    }

    private static string Monitor(string device, int saturation) =>
        "MSH|^~\\&|GATE|WARD|||20260314072411+0000||ORU^R01^ORU_R01|M1|P|2.6|||NE|AL\rPID|||\rOBR|1|A|B|182777000^monitoring^SCT|||20260314072411+0000\r"
        + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|{saturation}|262688^MDC_DIM_PERCENT^MDC|||||R|||20260314072411+0000||||{device}\r";

    private async Task<Home> HomeAsync(int? phone, int? scale, string? group = null)
    {
        var patient = await server.AddPatientAsync();
        var (phoneId, phoneCredential) = await server.AddDeviceAsync(server.Name("phone"), null, patient, mapping: "apple-health");
        var (scaleId, scaleCredential) = await server.AddDeviceAsync(server.Name("scale"), null, patient, mapping: "withings");
        var home = new Home(server, patient, group ?? server.Name("home"), phoneId, phoneCredential, scaleId, scaleCredential);
        foreach (var (device, priority) in new[] { (phoneId, phone), (scaleId, scale) })
        {
            if (priority is { } set)
            {
                await Directory.PutAsync(new ReadingRoute(ReadingRoute.OfDevice(device), home.Group, set), CancellationToken.None);
            }
        }

        return home;
    }

    /// <summary>A scale whose readings come from its maker's cloud, and again with the export of the patient's phone.</summary>
    private sealed record Home(TestServer Server, string Patient, string Group, string Phone, string PhoneCredential, string Scale, string ScaleCredential)
    {
        private static readonly long Epoch = DateTimeOffset.Parse(Moment, CultureInfo.InvariantCulture).ToUnixTimeSeconds();

        public Task<Answer> ExportAsync(string value, string at = "2026-03-14 08:24:11 +0100", string type = "BodyMass", string unit = "kg") => Server.PostAsync(
            PhoneCredential,
            $"""<?xml version="1.0" encoding="UTF-8"?><HealthData locale="de_DE"><Record type="HKQuantityTypeIdentifier{type}" sourceName="Health Mate" unit="{unit}" creationDate="{at}" startDate="{at}" endDate="{at}" value="{value}"/></HealthData>""",
            contentType: "application/xml");

        public Task<Answer> ExportPressureAsync(int systolic, int diastolic)
        {
            const string At = "2026-03-14 08:24:11 +0100";
            string Part(string name, int value) => $"""<Record type="HKQuantityTypeIdentifierBloodPressure{name}" sourceName="Cuff" unit="mmHg" creationDate="{At}" startDate="{At}" endDate="{At}" value="{value}"/>""";
            return Server.PostAsync(
                PhoneCredential,
                $"""<?xml version="1.0" encoding="UTF-8"?><HealthData locale="de_DE"><Correlation type="HKCorrelationTypeIdentifierBloodPressure" sourceName="Cuff" creationDate="{At}" startDate="{At}" endDate="{At}">{Part("Systolic", systolic)}{Part("Diastolic", diastolic)}</Correlation></HealthData>""",
                contentType: "application/xml");
        }

        public Task<Answer> WeighAsync(int grams) => MeasureAsync(1, grams, -3);

        public Task<Answer> MeasureAsync(int type, int value, int exponent) => GroupAsync($$"""{"type":{{type}},"value":{{value}},"unit":{{exponent}}}""");

        public Task<Answer> PressAsync(int systolic, int diastolic) => GroupAsync($$"""{"type":10,"value":{{systolic}},"unit":0},{"type":9,"value":{{diastolic}},"unit":0}""");

        public async Task<JsonNode> GetAsync(string path) => (await Server.GetAsync("fhir/" + path, await Server.TokenAsync())).Json;

        public async Task<JsonNode> OnlyAsync(string code) => Assert.Single((await GetAsync($"Observation?patient={Patient}&code={code}"))["entry"]!.AsArray())!["resource"]!;

        public async Task<int> CountAsync(string code) => (await GetAsync($"Observation?patient={Patient}&code={code}&_summary=count"))["total"]!.GetValue<int>();

        private Task<Answer> GroupAsync(string measures) =>
            Server.PostAsync(ScaleCredential, $$"""{"status":0,"body":{"timezone":"Europe/Berlin","measuregrps":[{"grpid":12,"attrib":0,"category":1,"date":{{Epoch}},"measures":[{{measures}}] }] } }""");
    }
}
