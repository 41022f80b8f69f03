using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>What a sender is told about each message, and that it is true.</summary>
public sealed class ReceiptTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Time = "2026-02-01T22:46:01Z";

    [Fact]
    public async Task A_reading_is_stored_and_can_be_read_as_the_receipt_says()
    {
        var (device, credential, patient, id) = await server.AddWornDeviceAsync();

        var receipt = (await server.PostAsync(credential, HeartRate(device, "72.0"))).Only;

        Assert.Equal("stored", receipt.Summary);
        var observation = await ReadAsync(receipt.Observations.Single());
        Assert.Equal("72.0", observation["valueQuantity"]!["value"]!.ToJsonString());
        Assert.Equal($"Patient/{patient}", (string)observation["subject"]!["reference"]!);
        Assert.Equal($"Device/{id}", (string)observation["device"]!["reference"]!);
        Assert.Equal(Time, (string)observation["effectiveDateTime"]!);
        Assert.Equal("final", (string)observation["status"]!);
    }

    [Fact]
    public async Task A_resent_reading_is_answered_with_the_first_id_and_creates_nothing()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        var first = (await server.PostAsync(credential, HeartRate(device, "72"))).Only;

        var again = (await server.PostAsync(credential, HeartRate(device, "72"))).Only;

        Assert.Equal("duplicate", again.Summary);
        Assert.Equal(first.Observations, again.Observations);
        Assert.Equal("1", (string)(await ReadAsync(first.Observations[0]))["meta"]!["versionId"]!);
        Assert.Single(await SearchAsync(patient));
    }

    [Fact]
    public async Task A_deleted_reading_stays_deleted_and_another_of_the_same_second_is_stored()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        string Message(string time, string rate) => $$"""{"deviceId":"{{device}}","time":"{{time}}","heartRate":{{rate}}}""";
        var first = (await server.PostAsync(credential, Message("2026-02-01T10:00:00.100Z", "72"))).Only;
        await server.DeleteAsync("Observation", first.Observations[0].Split('/')[^1]);

        var again = (await server.PostAsync(credential, Message("2026-02-01T10:00:00.100Z", "72"))).Only;
        var other = (await server.PostAsync(credential, Message("2026-02-01T10:00:00.600Z", "90"))).Only;

        Assert.Equal(("duplicate", "stored"), (again.Summary, other.Summary));
        Assert.Equal("90", Assert.Single(await SearchAsync(patient))["valueQuantity"]!["value"]!.ToJsonString());
    }

    [Fact]
    public async Task Another_value_at_the_same_time_is_an_amended_version_and_the_old_one_stays_readable()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        var first = (await server.PostAsync(credential, HeartRate(device, "72"))).Only;

        var changed = (await server.PostAsync(credential, HeartRate(device, "75"))).Only;
        var again = (await server.PostAsync(credential, HeartRate(device, "75"))).Only;

        Assert.Equal(("updated", "duplicate"), (changed.Summary, again.Summary));
        Assert.Equal(first.Observations, changed.Observations);
        var now = await ReadAsync(first.Observations[0]);
        Assert.Equal(("75", "amended", "2"), (now["valueQuantity"]!["value"]!.ToJsonString(), (string)now["status"]!, (string)now["meta"]!["versionId"]!));
        var before = await ReadAsync(first.Observations[0] + "/_history/1");
        Assert.Equal(("72", "final"), (before["valueQuantity"]!["value"]!.ToJsonString(), (string)before["status"]!));
        Assert.Single(await SearchAsync(patient));
    }

    [Fact]
    public async Task A_later_part_of_a_reading_keeps_the_part_that_is_stored()
    {
        var mapping = server.Name("parts");
        await server.AddMappingAsync(mapping, CreatingMapping.Device, CreatingMapping.Fhir);
        var (device, credential, _, _) = await server.AddWornDeviceAsync(mapping: mapping);
        var statuses = new List<string>();
        foreach (var message in new[] { CreatingMapping.Message(device, null, "72", more: ",\"note\":\"resting\""), CreatingMapping.Message(device, null, "73"), CreatingMapping.Message(device, null, "73") })
        {
            var receipt = (await server.PostAsync(credential, message)).Only;
            statuses.Add(receipt.Status);
            var observation = await ReadAsync(receipt.Observations[0]);
            Assert.Equal("resting", (string)observation["component"]![0]!["valueString"]!);
        }

        Assert.Equal(["stored", "updated", "duplicate"], statuses);
    }

    [Fact]
    public async Task Readings_of_the_same_second_are_all_kept_and_each_is_known_again()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        var batch = "[" + string.Join(',', new[] { "01", "01.25", "01.250001", "01.9999999" }.Select((second, i) => HeartRate(device, $"{70 + i}", $"2026-02-01T22:46:{second}Z"))) + "]";

        var first = (await server.PostAsync(credential, batch)).Receipts;
        var again = (await server.PostAsync(credential, batch)).Receipts;

        Assert.All(first, receipt => Assert.Equal("stored", receipt.Summary));
        Assert.All(again, receipt => Assert.Equal("duplicate", receipt.Summary));
        Assert.Equal(first.Select(receipt => receipt.Observations[0]), again.Select(receipt => receipt.Observations[0]));
        Assert.Equal(["70", "71", "72", "73"], (await SearchAsync(patient)).Select(node => node["valueQuantity"]!["value"]!.ToJsonString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_same_reading_twice_in_one_request_is_stored_once()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $"[{HeartRate(device, "72")},{HeartRate(device, "72")}]")).Receipts;

        Assert.Equal(["stored", "duplicate"], receipts.Select(receipt => receipt.Summary));
        Assert.Equal(receipts[0].Observations, receipts[1].Observations);
        Assert.Single(await SearchAsync(patient));
    }

    [Fact]
    public async Task The_same_reading_in_many_requests_at_once_is_stored_once()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.PostAsync(credential, HeartRate(device, "72"))));

        Assert.Equal(15, answers.Count(answer => answer.Only.Status == "duplicate"));
        Assert.Single(answers, answer => answer.Only.Status == "stored");
        Assert.Single(answers.Select(answer => answer.Only.Observations.Single()).Distinct(StringComparer.Ordinal));
        Assert.Single(await SearchAsync(patient));
    }

    [Fact]
    public async Task A_message_of_which_one_reading_is_bad_is_partial()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var receipt = (await server.PostAsync(credential, $$"""{"deviceId":"{{device}}","time":"{{Time}}","heartRate":72,"spo2":"78,5"}""")).Only;

        Assert.Equal("partial IOMT-0428", receipt.Summary);
        Assert.Single(receipt.Observations);
        Assert.Single(await SearchAsync(patient));
    }

    [Theory]
    [InlineData("\"78,5\"", "quarantined IOMT-0428")]
    [InlineData("\"1,234\"", "quarantined IOMT-0428")]
    [InlineData("\"NaN\"", "quarantined IOMT-0428")]
    [InlineData("\"Infinity\"", "quarantined IOMT-0428")]
    [InlineData("true", "quarantined IOMT-0428")]
    [InlineData("\"\"", "quarantined IOMT-0421")]
    [InlineData("{\"value\":72}", "quarantined IOMT-0422")]
    [InlineData("[72]", "quarantined IOMT-0422")]
    public async Task A_value_that_is_no_number_waits_in_quarantine(string value, string expected)
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var receipt = (await server.PostAsync(credential, HeartRate(device, value))).Only;

        Assert.Equal(expected, receipt.Summary);
        Assert.Empty(await SearchAsync(patient));
        AssertSaysHowToMend(receipt);
    }

    [Theory]
    [InlineData("1e400")]
    [InlineData("1e-400")]
    [InlineData("-1e999999999")]
    [InlineData("123456789012345678901234567890123456789012345678901234567890")]
    [InlineData("0.123456789012345678901234567890123456789012345678901234567890")]
    [InlineData("-0.0")]
    [InlineData("1e28")]
    [InlineData("99999999999999999999")]
    [InlineData("\"007\"")]
    [InlineData("\" 72 \"")]
    [InlineData("\"+72\"")]
    public async Task A_number_beyond_all_measure_gets_a_receipt_like_any_other(string value)
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $"[{HeartRate(device, value)},{HeartRate(device, "72", "2026-02-01T22:47:01Z")}]")).Receipts;

        Assert.Equal("stored", receipts[1].Status);
        Assert.Contains(receipts[0].Status, new[] { "stored", "quarantined" });
        Assert.Equal(receipts.Count(receipt => receipt.Status == "stored"), (await SearchAsync(patient)).Count);
    }

    [Theory]
    [InlineData("2026-02-01T22:46:01", "quarantined IOMT-0425")]
    [InlineData("2026-02-01", "quarantined IOMT-0424")]
    [InlineData("01/02/2026 10:00", "quarantined IOMT-0424")]
    [InlineData("yesterday", "quarantined IOMT-0424")]
    [InlineData("2026-02-30T10:00:00Z", "quarantined IOMT-0424")]
    [InlineData("9999-12-31T23:59:59.9999999Z", "quarantined IOMT-0526")]
    [InlineData("9999-12-31T23:59:59-14:00", "quarantined IOMT-0424")]
    public async Task A_time_that_would_have_to_be_guessed_waits_in_quarantine(string time, string expected)
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();

        var receipt = (await server.PostAsync(credential, HeartRate(device, "72", time))).Only;

        Assert.Equal(expected, receipt.Summary);
        Assert.Empty(await SearchAsync(patient));
        AssertSaysHowToMend(receipt);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:01+14:00")]
    [InlineData("1582-10-15T00:00:00Z")]
    public async Task A_time_long_past_costs_nobody_else(string time)
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $"[{HeartRate(device, "72", time)},{HeartRate(device, "72")}]")).Receipts;

        Assert.Equal("stored", receipts[1].Status);
        Assert.Contains(receipts[0].Status, new[] { "stored", "quarantined" });
    }

    [Fact]
    public async Task A_reading_of_next_year_waits_in_quarantine_and_one_of_a_fast_clock_does_not()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var now = TimeProvider.System.GetUtcNow();

        var future = (await server.PostAsync(credential, HeartRate(device, "72", Iso(now.AddYears(1))))).Only;
        var fast = (await server.PostAsync(credential, HeartRate(device, "72", Iso(now.AddMinutes(5))))).Only;

        Assert.Equal("quarantined IOMT-0526", future.Summary);
        Assert.Equal("stored", fast.Summary);
    }

    [Fact]
    public async Task A_message_that_no_template_knows_waits_in_quarantine()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal("quarantined IOMT-0430", (await server.PostAsync(credential, $$"""{"deviceId":"{{device}}","battery":12}""")).Only.Summary);
    }

    [Theory]
    [InlineData("42")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"Body\":null}")]
    [InlineData("{\"Body\":[]}")]
    public async Task A_body_without_readings_waits_in_quarantine_and_is_not_dropped(string body)
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal("quarantined IOMT-0430", (await server.PostAsync(credential, body)).Only.Summary);
    }

    [Fact]
    public async Task A_message_without_device_or_time_waits_in_quarantine()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal("quarantined IOMT-0420", (await server.PostAsync(credential, $$"""{"time":"{{Time}}","heartRate":72}""")).Only.Summary);
        Assert.Equal("quarantined IOMT-0420", (await server.PostAsync(credential, $$"""{"deviceId":"{{device}}","heartRate":72}""")).Only.Summary);
        Assert.Equal("quarantined IOMT-0421", (await server.PostAsync(credential, HeartRate(" ", "72"))).Only.Summary);
    }

    [Fact]
    public async Task Half_a_blood_pressure_waits_in_quarantine()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal("quarantined IOMT-0420", (await server.PostAsync(credential, $$"""{"deviceId":"{{device}}","time":"{{Time}}","systolic":120}""")).Only.Summary);
    }

    [Fact]
    public async Task One_bad_element_among_999_good_ones_costs_none_of_them()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        var start = new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);
        var messages = Enumerable.Range(0, 1000).Select(i => HeartRate(device, i == 617 ? "\"78,5\"" : $"{60 + (i % 40)}", Iso(start.AddSeconds(i))));

        var receipts = (await server.PostAsync(credential, "[" + string.Join(',', messages) + "]")).Receipts;

        Assert.Equal(Enumerable.Range(0, 1000), receipts.Select(receipt => receipt.Index));
        Assert.Equal(999, receipts.Count(receipt => receipt.Status == "stored"));
        Assert.Equal("quarantined IOMT-0428", receipts[617].Summary);
        Assert.Equal(999, await CountAsync(patient));
    }

    [Fact]
    public async Task A_broken_line_is_refused_alone_and_says_where_it_breaks()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync();
        var body = $"{HeartRate(device, "70", "2026-02-01T22:46:01Z")}\n{{\"deviceId\":\n\n{HeartRate(device, "NaN")}\r\n{HeartRate(device, "71", "2026-02-01T22:46:02Z")}";

        var receipts = (await server.PostAsync(credential, body, contentType: "application/x-ndjson")).Receipts;

        Assert.Equal(["stored", "refused", "refused", "stored"], receipts.Select(receipt => receipt.Status));
        Assert.Contains("2", (string)receipts[1].Json["issues"]![0]!["path"]!);
        Assert.Contains("4", (string)receipts[2].Json["issues"]![0]!["path"]!);
        Assert.Equal(2, (await SearchAsync(patient)).Count);
    }

    [Fact]
    public async Task A_csv_row_is_a_message_and_a_broken_row_is_refused_alone()
    {
        var (device, credential, patient, _) = await server.AddWornDeviceAsync(mapping: "cgm-csv");
        var body = $"id,time,gl\n{device},2026-02-01 10:00:00,101\n{device},2026-02-01 10:05:00\n\"{device}\",\"2026-02-01 10:10:00\",\"103\"\r\n{device},2026-02-01 10:15:00,n/a\n";

        var receipts = (await server.PostAsync(credential, body, contentType: "text/csv; charset=utf-8")).Receipts;

        Assert.Equal(["stored", "refused", "stored", "quarantined"], receipts.Select(receipt => receipt.Status));
        Assert.Equal(["2026-02-01T10:00:00Z", "2026-02-01T10:10:00Z"], (await SearchAsync(patient)).Select(node => (string)node["effectiveDateTime"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_envelope_is_taken_as_it_is()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $$$"""[{"Body":{{{HeartRate(device, "72")}}},"Properties":{"a":"b"},"SystemProperties":{}},{{{HeartRate(device, "72")}}}]""")).Receipts;

        Assert.Equal(["stored", "duplicate"], receipts.Select(receipt => receipt.Summary));
    }

    [Theory]
    [InlineData("application/json", "[]")]
    [InlineData("text/csv", "id,time,gl\n")]
    public async Task No_messages_get_no_receipts(string contentType, string body)
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Empty((await server.PostAsync(credential, body, contentType: contentType)).Receipts);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1,2")]
    [InlineData("[{\"a\":NaN}]")]
    [InlineData("{}{}")]
    [InlineData("<xml/>")]
    [InlineData("{\"a\":1,}")]
    public async Task A_body_that_is_not_JSON_is_a_400(string body)
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();

        var answer = await server.PostAsync(credential, body);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Codes);
    }

    [Theory]
    [InlineData("application/json", "")]
    [InlineData("application/json", "  ")]
    [InlineData("application/x-ndjson", "")]
    [InlineData("application/x-ndjson", "\n \r\n")]
    [InlineData("text/csv", "")]
    public async Task An_empty_body_is_a_400(string contentType, string body)
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal(400, (await server.PostAsync(credential, body, contentType: contentType)).Status);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_are_a_400_or_a_refused_line()
    {
        var (_, credential, _, _) = await server.AddWornDeviceAsync();
        byte[] body = [.. "{\"a\":\""u8, 0xff, 0xfe, .. "\"}"u8];

        Assert.Equal(400, (await server.PostAsync(credential, body)).Status);
        Assert.Equal("refused", (await server.PostAsync(credential, body, contentType: "application/x-ndjson")).Only.Status);
        Assert.Equal(400, (await server.PostAsync(credential, Encoding.Unicode.GetBytes("{\"a\":1}"), contentType: "application/json; charset=utf-16")).Status);
    }

    [Fact]
    public async Task Nesting_of_ten_thousand_is_refused_and_costs_no_neighbour()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var deep = new string('[', 10_000) + new string(']', 10_000);
        var deepObject = string.Concat(Enumerable.Repeat("{\"a\":", 10_000)) + "1" + new string('}', 10_000);

        Assert.Equal(400, (await server.PostAsync(credential, deep)).Status);
        Assert.Equal(400, (await server.PostAsync(credential, deepObject)).Status);
        Assert.Equal(["refused", "stored"], (await server.PostAsync(credential, $"{deepObject}\n{HeartRate(device, "72")}", contentType: "application/x-ndjson")).Receipts.Select(receipt => receipt.Status));
    }

    [Fact]
    public async Task A_member_named_twice_refuses_its_message_only()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $$"""[{"deviceId":"{{device}}","time":"{{Time}}","heartRate":72,"heartRate":73},{"deviceId":"{{device}}","time":"{{Time}}","heartRate":72,"heart\u0052ate":73},{{HeartRate(device, "72")}}]""")).Receipts;

        Assert.Equal(["refused", "refused", "stored"], receipts.Select(receipt => receipt.Status));
    }

    [Fact]
    public async Task Half_a_surrogate_in_a_name_or_a_value_refuses_its_message_only()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        var receipts = (await server.PostAsync(credential, $$$"""[{"\udc00":1},{"a":{"\ud800x":1}},{"a":"\ud800"},{{{HeartRate(device, "72")}}}]""")).Receipts;

        Assert.Equal(["refused", "refused", "refused", "stored"], receipts.Select(receipt => receipt.Status));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/pdf")]
    [InlineData("application/fhir+json")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("")]
    public async Task Another_content_type_is_a_415(string contentType)
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        var answer = await server.PostAsync(credential, HeartRate(device, "72"), contentType: contentType);

        Assert.Equal((415, "IOMT-0538"), (answer.Status, answer.Codes.Single()));
    }

    [Fact]
    public async Task A_request_that_names_no_mapping_or_an_unknown_one_is_a_400()
    {
        var credential = await server.AddVendorAsync();

        var none = await server.PostAsync(credential, "{}");
        var unknown = await server.PostAsync(credential, "{}", mapping: "nothing/../of\u0000the kind");

        Assert.Equal((400, "IOMT-0530"), (none.Status, none.Codes.Single()));
        Assert.Equal((400, "IOMT-0531"), (unknown.Status, unknown.Codes.Single()));
    }

    [Fact]
    public async Task A_receipt_is_told_again_to_its_sender_and_to_nobody_else()
    {
        var vendor = server.Name("vendor");
        var vendorCredential = await server.AddVendorAsync(vendor, "vitals");
        var (device, credential, _, _) = await server.AddWornDeviceAsync(vendor);
        var other = await server.AddVendorAsync(mapping: "vitals");
        var batch = "[" + string.Join(',', Enumerable.Range(0, 1100).Select(i => i == 3 ? "{\"unknown\":true}" : HeartRate(device, "72", Iso(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(i))))) + "]";

        var receipts = (await server.PostAsync(credential, batch)).Receipts;

        foreach (var receipt in new[] { receipts[0], receipts[3], receipts[499], receipts[500], receipts[1099] })
        {
            var told = await server.GetAsync($"devices/messages/{receipt.Id}", credential);
            Assert.Equal((200, receipt.Json.ToJsonString()), (told.Status, told.Json.ToJsonString()));
            Assert.Equal(404, (await server.GetAsync($"devices/messages/{receipt.Id}", other)).Status);
            Assert.Equal(404, (await server.GetAsync($"devices/messages/{receipt.Id}", vendorCredential)).Status);
            Assert.Equal(401, (await server.GetAsync($"devices/messages/{receipt.Id}", null)).Status);
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("-")]
    [InlineData("--1")]
    [InlineData("abc-0")]
    [InlineData("abc-99999999999999999999")]
    [InlineData("abc-2147483647")]
    [InlineData("%01-1")]
    [InlineData("%2e%2e-1")]
    [InlineData("a%2Fb-1")]
    [InlineData("';drop table record;---1")]
    public async Task A_receipt_id_of_nonsense_is_a_404(string id)
    {
        var credential = await server.AddVendorAsync();

        Assert.Equal(404, (await server.GetAsync($"devices/messages/{id}", credential)).Status);
    }

    [Fact]
    public async Task A_neighbouring_id_of_a_receipt_is_a_404()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var id = (await server.PostAsync(credential, HeartRate(device, "72"))).Only.Id;

        Assert.Equal(404, (await server.GetAsync($"devices/messages/{id[..^1]}1", credential)).Status);
        Assert.Equal(404, (await server.GetAsync($"devices/messages/{id[..^1]}00", credential)).Status);
    }

    internal static string HeartRate(string device, string value, string time = Time) => $$"""{"deviceId":"{{device}}","time":"{{time}}","heartRate":{{value}}}""";

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static void AssertSaysHowToMend(Receipt receipt) => Assert.All(receipt.Json["issues"]!.AsArray(), issue =>
    {
        Assert.NotEmpty((string)issue!["message"]!);
        Assert.NotEmpty((string)issue["fix"]!);
        Assert.True(issue.AsObject().ContainsKey("path"));
    });

    private async Task<JsonNode> ReadAsync(string reference)
    {
        var answer = await server.GetAsync($"fhir/{reference}", await server.TokenAsync());
        return answer.Status == 200 ? answer.Json : throw new InvalidOperationException(answer.Text);
    }

    private async Task<IReadOnlyList<JsonNode>> SearchAsync(string patient)
    {
        var answer = await server.GetAsync($"fhir/Observation?patient={patient}&_count=1000", await server.TokenAsync());
        return [.. (answer.Json["entry"]?.AsArray() ?? []).Select(entry => entry!["resource"]!)];
    }

    private async Task<int> CountAsync(string patient) =>
        (int)(await server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", await server.TokenAsync())).Json["total"]!;
}
