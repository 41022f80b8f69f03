using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

/// <summary>How many rows a resource costs, and that they go with it.</summary>
public class IndexRowTests : StoreTests
{
    private const string DeviceReading = """
        {"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/heartrate"]},"status":"final",
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
         "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"},{"system":"urn:iso:std:iso:11073:10101","code":"147842"}],"text":"Heart rate"},
         "subject":{"reference":"Patient/pa"},"device":{"reference":"Device/d"},"effectiveDateTime":"2026-02-01T10:00:00Z",
         "valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}
        """;

    private const string BloodPressure = """
        {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/pa"},"effectiveDateTime":"2026-02-01",
         "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
          {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
          {"code":{"text":"posture"},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"33586001"}]}}]}
        """;

    [Fact]
    public async Task A_device_reading_costs_three_rows()
    {
        await using var store = NewStore();
        await store.PutAsync("x", DeviceReading);
        Assert.Equal(["quantity_index 1", "reference_index 1", "timeline 1"], Rows(store).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_quantities_of_components_stand_beside_their_codes()
    {
        await using var store = NewStore();
        await store.PutAsync("x", BloodPressure);

        // Both quantities, the concept, and the composite of code and concept: its code is text only, which a composite cannot name.
        Assert.Equal(["component_index 1", "quantity_index 2", "timeline 1", "token_index 1"], Rows(store).Order(StringComparer.Ordinal));
        using var connection = store.OpenReader();
        Assert.Equal(2, connection.Scalar("SELECT count(DISTINCT codes) FROM quantity_index WHERE codes IN (SELECT code_set FROM code_set_concept)"));
    }

    [Fact]
    public async Task All_rows_go_with_the_resource()
    {
        await using var store = NewStore();
        string[] bodies =
        [
            DeviceReading, BloodPressure, DeviceReading.Replace("\"text\":\"Heart rate\"", $"\"text\":\"{new string('x', 200)}\"", StringComparison.Ordinal),
            """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Anna <b>M\u00fcller</b> &amp; co</div>"},"identifier":[{"type":{"coding":[{"system":"urn:t","code":"MR"}],"text":"record"},"system":"urn:s","value":"1"}],"birthDate":"1970","name":[{"family":"M"}]}""",
            """{"resourceType":"Condition","subject":{"reference":"Patient/pa/_history/2","identifier":{"system":"urn:s","value":"1"}},"code":{"text":"words only"},"onsetAge":{"value":3,"code":"a","system":"http://unitsofmeasure.org"}}""",
            """{"resourceType":"Group","type":"person","actual":true,"characteristic":[{"code":{"coding":[{"code":"a"},{"code":"b"}]},"valueCodeableConcept":{"coding":[{"code":"c"}]},"exclude":false},{"code":{"coding":[{"code":"a"}]},"valueBoolean":true,"exclude":false}]}""",
            """{"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/pa"},"prediction":[{"probabilityDecimal":0.25}]}""",
            """{"resourceType":"ValueSet","url":"http://example.org/vs","status":"active","compose":{"include":[{"valueSet":["http://example.org/other|2"]}]}}""",
        ];
        foreach (var (index, body) in bodies.Index())
        {
            await store.PutAsync($"x{index}", body);
            Assert.NotEmpty(Rows(store));
            await store.PutAsync($"x{index}", body);
            var type = TestStore.Prepare(body).Type;
            await store.RunAsync(transaction => transaction.Delete(transaction.Find(type, $"x{index}")!));
            Assert.Empty(Rows(store));
            Assert.True((await store.Store.ReadAsync(type, $"x{index}", CancellationToken.None))!.IsDeleted);
        }
    }

    [Fact]
    public async Task What_does_not_fit_the_set_of_codes_is_found_all_the_same()
    {
        await using var store = NewStore();
        var codings = string.Join(',', Enumerable.Range(0, 50).Select(number => $$"""{"system":"urn:many","code":"c{{number}}"}"""));
        await store.PutAsync("many", Sample.Observation($"{{\"coding\":[{codings}]}}", "Patient/pa", null, "vital-signs", ""));
        await store.PutAsync("one", Sample.HeartRate(code: "c49"));
        Assert.Equal(["many"], await store.FindAsync("Observation", ("code", "urn:many|c0")));
        Assert.Equal(["many", "one"], (await store.FindAsync("Observation", ("code", "c49"))).Order(StringComparer.Ordinal));
        Assert.Equal(["one"], await store.FindAsync("Observation", ("code:not", "urn:many|c49")));
        Assert.Equal(["many", "one"], (await store.FindAsync("Observation", ("category", "vital-signs"), ("patient", "pa"))).Order(StringComparer.Ordinal));
        await store.PutAsync("many", Sample.HeartRate(code: "none"));
        Assert.Empty(await store.FindAsync("Observation", ("code", "urn:many|")));
        Assert.DoesNotContain(Rows(store), row => row.StartsWith("token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_text_is_no_code()
    {
        await using var store = NewStore();
        await store.PutAsync("x", DeviceReading);
        await store.PutAsync("c", """{"resourceType":"Condition","subject":{"reference":"Patient/pa"},"code":{"text":"words"}}""");
        Assert.Empty(await store.FindAsync("Observation", ("code", "heart rate")));
        Assert.Empty(await store.FindAsync("Condition", ("code", "words")));
        Assert.Equal(["c"], await store.FindAsync("Condition", ("code:missing", "false")));
    }

    [Fact]
    public async Task A_store_of_the_first_index_schema_is_indexed_anew()
    {
        var folder = Directory.CreateTempSubdirectory("fhiriomt-old-").FullName;
        try
        {
            MakeOldStore(folder);
            await using var store = TestStore.On(folder, serve: true);
            Assert.Equal(700, (await store.WalkAsync(TestStore.Query("Observation", ("code", "8867-4"), ("_count", "1000")))).Count);
            Assert.Equal(["pa"], await store.FindAsync("Patient", ("family", "chalmers")));
            Assert.Contains("timeline 700", Rows(store));
            Assert.Contains("full_text 1", Rows(store));

            // Numbers go on where the old ones ended.
            await store.PutAsync("new", Sample.HeartRate());
            Assert.Equal(701, (await store.WalkAsync(TestStore.Query("Observation", ("patient", "pa"), ("_count", "1000")))).Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void MakeOldStore(string folder)
    {
        using var connection = new SqliteConnection(Path.Combine(folder, "fhiriomt.db"), readOnly: false);
        SqliteSchema.MigrateTo(connection, FhirDefinitions.R4, 2);
        Insert(connection, "Patient", "pa", Sample.Patient(), 1);
        for (var number = 0; number < 700; number++)
        {
            Insert(connection, "Observation", $"x{number:000}", Sample.HeartRate(), 100 + number);
        }

        connection.Execute("UPDATE clock SET last=5000");
    }

    private static void Insert(SqliteConnection connection, string type, string id, string body, long tick)
    {
        using var rows = connection.Prepare("SELECT id FROM resource_type WHERE name=?").Add(type).Run();
        rows.Step();
        var number = rows.Int64(0);
        connection.Prepare("INSERT INTO resource(key, type, id, version, deleted, body) VALUES (?,?,?,1,0,?)")
            .Add(Sql.ResourceKey.Of(number, tick)).Add(number).Add(id).Add(Encoding.UTF8.GetBytes(body)).Done();
    }

    private static List<string> Rows(TestStore store) => [.. store.RowCounts().Where(pair => pair.Key != "resource" && pair.Value > 0).Select(pair => $"{pair.Key} {pair.Value}")];
}

public sealed class IndexRowTestsOnPostgreSql : IndexRowTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
