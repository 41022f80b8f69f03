using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>What each kind of criterion finds (R4 §3.1.1.4).</summary>
public class SearchTests : StoreTests
{
    [Theory]
    [InlineData("2026", "year,month,day,second,evening")]
    [InlineData("2026-02", "month,day,second,evening")]
    [InlineData("2026-02-01", "day,second,evening")]
    [InlineData("2026-02-01T10:00", "second")]
    [InlineData("2026-02-01T10:00:00Z", "second")]
    [InlineData("2026-02-01T11:00:00+01:00", "second")]
    [InlineData("2026-02-01T10:00:00.000Z", "")]
    [InlineData("eq2026-02-01", "day,second,evening")]
    [InlineData("ne2026-02-01", "year,month,before,after,since,until")]
    [InlineData("gt2026-02-01", "year,month,after,since")]
    [InlineData("lt2026-02-01", "year,before,until")]
    [InlineData("ge2026-02-01", "year,month,day,second,evening,after,since")]
    [InlineData("le2026-02-01", "year,day,second,evening,before,until")]
    [InlineData("sa2026-02-01", "after")]
    [InlineData("eb2026-02-01", "before,until")]
    [InlineData("sa2026-01-31", "month,day,second,evening,after,since")]
    [InlineData("ap2026-02-01", "year,month,day,second,evening,since")]
    [InlineData("2026-02-01T10:00:00Z,2027", "second,after")]
    public async Task A_date_is_compared_as_the_interval_it_covers(string value, string expected)
    {
        await using var store = await DatesAsync();
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("date", value))).Order(StringComparer.Ordinal));

        // The same on the timeline, driven by the subject, and in the key scan, driven by something else.
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("date", value), ("subject", "Patient/pa"))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("date", value), ("_sort", "_lastUpdated"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("2026-02-01", "day")]
    [InlineData("ge2026-02", "month,day")]
    [InlineData("lt2026", "old")]
    [InlineData("ne2026-02-01", "month,old")]
    [InlineData("ap2026-02-01", "month,day")]
    public async Task Dates_of_other_types_are_compared_the_same(string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("day", Sample.Patient(more: "\"birthDate\":\"2026-02-01\""));
        await store.PutAsync("month", Sample.Patient(more: "\"birthDate\":\"2026-02\""));
        await store.PutAsync("old", Sample.Patient(more: "\"birthDate\":\"1950-07-30\""));
        await store.PutAsync("none", Sample.Patient());
        Assert.Equal(Sorted(expected), (await store.FindAsync("Patient", ("birthdate", value))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_timing_counts_by_its_outer_limits()
    {
        await using var store = NewStore();
        await store.PutAsync("x", Sample.Observation("""{"text":"steps"}""", "Patient/pa", "\"effectiveTiming\":{\"event\":[\"2026-02-01\",\"2026-02-05\"]}", "activity", ""));
        Assert.Equal(["x"], await store.FindAsync("Observation", ("date", "lt2026-02-03")));
        Assert.Equal(["x"], await store.FindAsync("Observation", ("date", "gt2026-02-03")));
        Assert.Equal(["x"], await store.FindAsync("Observation", ("date", "2026-02")));
        await store.PutAsync("s", """{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/pa"},"occurrenceTiming":{"event":["2026-02-01","2026-02-05"]}}""");
        Assert.Empty(await store.FindAsync("ServiceRequest", ("occurrence", "2026-02-01")));
        Assert.Empty(await store.FindAsync("ServiceRequest", ("occurrence", "sa2026-02-03")));
        Assert.Equal(["s"], await store.FindAsync("ServiceRequest", ("occurrence", "ap2026-02-03")));
        Assert.Equal(["s"], await store.FindAsync("ServiceRequest", ("occurrence", "2026-02")));
    }

    [Theory]
    [InlineData("8867-4", "both,loinc")]
    [InlineData("http://loinc.org|8867-4", "both,loinc")]
    [InlineData("http://elsewhere.example|8867-4", "")]
    [InlineData("|8867-4", "")]
    [InlineData("|local", "none")]
    [InlineData("local", "none")]
    [InlineData("http://loinc.org|", "both,loinc,other")]
    [InlineData("http://nobody.example|", "")]
    [InlineData("147842", "both")]
    [InlineData("8867-4,local", "both,loinc,none")]
    [InlineData("9279-1,|local,urn:iso:std:iso:11073:10101|147842", "both,none,other")]
    [InlineData("8867", "")]
    public async Task A_token_has_four_forms(string value, string expected)
    {
        await using var store = await TokensAsync();
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("code", value))).Order(StringComparer.Ordinal));
        var not = Sorted("both,loinc,none,other,text").Except(Sorted(expected), StringComparer.Ordinal);
        Assert.Equal(not, (await store.FindAsync("Observation", ("code:not", value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("version", "2.0-BALLOT", "large,small")]
    [InlineData("version", "2.0-ballot", "large,small")]
    [InlineData("version:not", "2.0-Ballot", "none,other")]
    [InlineData("_filter", "version eq 2.0-Ballot", "large,small")]
    [InlineData("name:exact", "Large", "large")]
    [InlineData("_id", "LARGE", "")]
    [InlineData("status", "DRAFT", "")]
    public async Task A_token_that_is_a_string_is_found_in_any_case(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("large", """{"resourceType":"ValueSet","status":"draft","name":"Large","version":"2.0-BALLOT"}""");
        await store.PutAsync("small", """{"resourceType":"ValueSet","status":"draft","version":"2.0-ballot"}""");
        await store.PutAsync("other", """{"resourceType":"ValueSet","status":"draft","version":"2.0"}""");
        await store.PutAsync("none", """{"resourceType":"ValueSet","status":"draft"}""");
        Assert.Equal(Sorted(expected), (await store.FindAsync("ValueSet", (name, value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("code:text", "pulse", "bare")]
    [InlineData("code:text", "heart", "bare,shown")]
    [InlineData("code:missing", "true", "")]
    [InlineData("code:missing", "false", "bare,shown,unknown")]
    [InlineData("code:not", "8867-4", "bare,shown,unknown")]
    [InlineData("code", "|8867-4", "")]
    public async Task A_concept_has_its_texts_whatever_its_codings_lack(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("shown", Coded("""{"coding":[{"display":"Heart rate"}]}"""));
        await store.PutAsync("bare", Coded("""{"coding":[{"display":"Heart rate"}],"text":"Pulse"}"""));
        await store.PutAsync("unknown", Coded("""{"coding":[{"version":"1"}],"text":"Beats"}"""));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "-_lastUpdated"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("not (subject eq Patient/pa)", "group,nobody")]
    [InlineData("not (patient eq pa)", "group,nobody")]
    [InlineData("not (subject:Patient.family eq Berg)", "group,nobody")]
    [InlineData("not (subject eq Patient/pa or subject eq Group/g)", "nobody")]
    [InlineData("subject ne Patient/pa", "group")]
    [InlineData("not (subject ne Patient/pa)", "nobody,patient")]
    public async Task What_is_about_nobody_is_not_about_a_patient(string filter, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("pa", Sample.Patient("Berg"));
        await store.PutAsync("patient", Sample.HeartRate());
        await store.PutAsync("group", Sample.HeartRate(subject: "Group/g"));
        await store.PutAsync("nobody", Sample.HeartRate(subject: null));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("_filter", filter))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("_filter", filter), ("_sort", "-date"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("subject:missing", "true", "nobody")]
    [InlineData("subject:missing", "false", "named,referred,whoever")]
    [InlineData("patient:missing", "true", "nobody,whoever")]
    [InlineData("patient:missing", "false", "named,referred")]
    public async Task A_subject_that_is_named_by_an_identifier_is_not_missing(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("referred", Sample.HeartRate());
        await store.PutAsync("nobody", Sample.HeartRate(subject: null));
        await store.PutAsync("named", Named("""{"type":"Patient","identifier":{"system":"urn:example:mrn","value":"17"}}"""));
        await store.PutAsync("whoever", Named("""{"identifier":{"system":"urn:example:mrn","value":"17"}}"""));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "date"))).Order(StringComparer.Ordinal));

        static string Named(string subject) => $$$"""{"resourceType":"Observation","status":"final","code":{"text":"pulse"},"effectiveDateTime":"2026-02-01","subject":{{{subject}}}}""";
    }

    [Theory]
    [InlineData("category:not", "vital-signs", "lab,nothing")]
    [InlineData("category:not", "vital-signs,laboratory", "nothing")]
    [InlineData("category:not", "unheard-of", "lab,nothing,vital")]
    [InlineData("category", "unheard-of", "")]
    [InlineData("category:missing", "true", "nothing")]
    [InlineData("category:missing", "false", "lab,vital")]
    [InlineData("subject:missing", "true", "lab")]
    [InlineData("subject:missing", "false", "nothing,vital")]
    [InlineData("patient:missing", "true", "lab,nothing")]
    [InlineData("patient:missing", "false", "vital")]
    [InlineData("date:missing", "true", "nothing")]
    [InlineData("date:missing", "false", "lab,vital")]
    [InlineData("device:missing", "true", "lab,nothing,vital")]
    [InlineData("_id:missing", "false", "lab,nothing,vital")]
    public async Task Not_and_missing_count_resources_without_a_value(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("vital", Sample.HeartRate());
        await store.PutAsync("lab", Sample.HeartRate(subject: null, category: "laboratory"));
        await store.PutAsync("nothing", """{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8"}]},"subject":{"reference":"Group/g"}}""");
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "date"))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "-_lastUpdated"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("identifier", "SN-1", "a,b")]
    [InlineData("identifier", "urn:example:serial|SN-1", "a")]
    [InlineData("identifier", "urn:example:serial|", "a,c")]
    [InlineData("identifier", "|SN-1", "")]
    [InlineData("identifier", "|SN-3", "d")]
    [InlineData("identifier", "sn-1", "")]
    [InlineData("identifier", "urn:nobody|SN-1", "")]
    [InlineData("identifier", "urn:example:serial|SN-1,urn:example:serial|x\\,y\\|z", "a,c")]
    [InlineData("identifier:not", "urn:example:serial|SN-1", "b,c,d")]
    [InlineData("identifier:missing", "false", "a,b,c,d")]
    public async Task Identifiers_are_tokens_too(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("a", Sample.Device("SN-1"));
        await store.PutAsync("b", """{"resourceType":"Device","identifier":[{"system":"urn:other","value":"SN-1"}]}""");
        await store.PutAsync("c", Sample.Device("x,y|z"));
        await store.PutAsync("d", """{"resourceType":"Device","identifier":[{"value":"SN-3"}]}""");
        Assert.Equal(Sorted(expected), (await store.FindAsync("Device", (name, value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("family", "chal", "chalmers")]
    [InlineData("family", "CHALMERS", "chalmers")]
    [InlineData("family", "halmers", "")]
    [InlineData("family:contains", "ALM", "chalmers")]
    [InlineData("family:exact", "Chalmers", "chalmers")]
    [InlineData("family:exact", "chalmers", "")]
    [InlineData("family:exact", "Chal", "")]
    [InlineData("family", "muller", "muller")]
    [InlineData("family", "MÜLL", "muller")]
    [InlineData("family:exact", "Müller", "muller")]
    [InlineData("family:exact", "Muller", "")]
    [InlineData("family", "strass", "strasse")]
    [InlineData("family:contains", "aße", "strasse")]
    [InlineData("family", "Aa", "astral")]
    [InlineData("family", "%", "")]
    [InlineData("family", "a_", "")]
    [InlineData("family", "chal,mull", "chalmers,muller")]
    [InlineData("name", "peter", "astral,chalmers,muller,strasse")]
    [InlineData("name", "mülle", "muller")]
    [InlineData("given:missing", "true", "")]
    [InlineData("address-city:missing", "true", "astral,chalmers,muller,strasse")]
    public async Task Strings_are_folded_and_matched_from_the_start_in_part_or_exactly(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("chalmers", Sample.Patient("Chalmers"));
        await store.PutAsync("muller", Sample.Patient("Müller"));
        await store.PutAsync("strasse", Sample.Patient("Straße"));
        await store.PutAsync("astral", Sample.Patient("Aa\U0001F600"));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Patient", (name, value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("subject", "Patient/pa", "pa,versioned")]
    [InlineData("subject", "pa", "group,pa,versioned")]
    [InlineData("subject:Patient", "pa", "pa,versioned")]
    [InlineData("subject:Group", "pa", "group")]
    [InlineData("subject", "Group/pa", "group")]
    [InlineData("patient", "pa", "pa,versioned")]
    [InlineData("patient", "Patient/pa", "pa,versioned")]
    [InlineData("patient", "Group/pa", "")]
    [InlineData("patient", "Patient/pa,Patient/pb", "pa,pb,versioned")]
    [InlineData("patient", "pa,Patient/pa", "pa,versioned")]
    [InlineData("subject", "https://elsewhere.example/fhir/Patient/pa", "elsewhere")]
    [InlineData("subject", "Patient/nobody", "")]
    [InlineData("device", "Device/d", "pb")]
    [InlineData("device", "d", "pb")]
    [InlineData("performer", "Patient/pa", "pb")]
    [InlineData("performer", "pa", "pb")]
    public async Task References_are_found_by_id_by_type_and_id_and_by_address(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("pa", Sample.HeartRate("Patient/pa"));
        await store.PutAsync("versioned", Sample.HeartRate("Patient/pa/_history/2"));
        await store.PutAsync("group", Sample.HeartRate("Group/pa"));
        await store.PutAsync("elsewhere", Sample.HeartRate("https://elsewhere.example/fhir/Patient/pa"));
        await store.PutAsync("pb", Sample.HeartRate("Patient/pb", more: "\"device\":{\"reference\":\"Device/d\"},\"performer\":[{\"reference\":\"Patient/pa\"}]"));
        await store.PutAsync("nobody", Sample.HeartRate(subject: null));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "-date"))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("_sort", "_lastUpdated"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a,c,zzz", "a,c")]
    [InlineData("A", "")]
    [InlineData("a\0x", "")]
    public async Task Ids_are_exact(string value, string expected)
    {
        await using var store = NewStore();
        foreach (var id in (string[])["a", "b", "c"])
        {
            await store.PutAsync(id, Sample.HeartRate());
        }

        Assert.Equal(Sorted(expected), await store.FindAsync("Observation", ("_id", value)));
        Assert.Equal(Sorted(expected), await store.FindAsync("Observation", ("_id", value), ("patient", "pa")));
    }

    [Fact]
    public async Task A_zero_character_does_not_end_a_value()
    {
        await using var store = NewStore();
        await store.PutAsync("x", Sample.HeartRate(code: "8867-4"));
        Assert.Empty(await store.FindAsync("Observation", ("code", "8867-4\0y")));
        await store.PutAsync("y", """{"resourceType":"Device","identifier":[{"value":"SN\u00001"}]}""");
        Assert.Empty(await store.FindAsync("Device", ("identifier", "SN")));
        Assert.Equal(["y"], await store.FindAsync("Device", ("identifier", "SN\u00001")));
    }

    [Theory]
    [InlineData("2026-03-01T12:00:02.000Z", "b")]
    [InlineData("2026-03-01T12:00:02Z", "b,c")]
    [InlineData("2026-03-01", "a,b,c,d")]
    [InlineData("ge2026-03-01T12:00:02.000Z", "b,c,d")]
    [InlineData("gt2026-03-01T12:00:02.000Z", "c,d")]
    [InlineData("sa2026-03-01T12:00:02.000Z", "c,d")]
    [InlineData("gt2026-03-01T12:00:02Z", "d")]
    [InlineData("lt2026-03-01T12:00:02.000Z", "a")]
    [InlineData("eb2026-03-01T12:00:02.000Z", "a")]
    [InlineData("le2026-03-01T12:00:02.000Z", "a,b")]
    [InlineData("ne2026-03-01T12:00:02Z", "a,d")]
    [InlineData("ap2026-03-01T12:00:02Z", "b,c")]
    [InlineData("lt1999", "")]
    [InlineData("ge1999", "a,b,c,d")]
    [InlineData("le9999", "a,b,c,d")]
    [InlineData("gt9999-12-31T23:59:59.999Z", "")]
    public async Task Last_updated_is_a_date_of_a_millisecond(string value, string expected)
    {
        await using var store = NewStore();
        foreach (var (id, milliseconds) in new[] { ("a", 1000), ("b", 1000), ("c", 500), ("d", 1500) })
        {
            store.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            await store.PutAsync(id, Sample.HeartRate());
        }

        Assert.Equal(Sorted(expected), await store.FindAsync("Observation", ("_lastUpdated", value)));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("_lastUpdated", value), ("patient", "pa"))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected).Reverse(), await store.FindAsync("Observation", ("_lastUpdated", value), ("_sort", "-_lastUpdated")));
    }

    [Fact]
    public async Task Several_parameters_must_all_hold_and_a_repeated_one_too()
    {
        await using var store = await TokensAsync();
        Assert.Equal(["both"], await store.FindAsync("Observation", ("code", "8867-4"), ("code", "147842")));
        Assert.Equal(["loinc"], await store.FindAsync("Observation", ("code", "8867-4"), ("code:not", "147842")));
        Assert.Empty(await store.FindAsync("Observation", ("code", "8867-4"), ("status", "cancelled")));
        Assert.Equal(["both", "loinc"], (await store.FindAsync("Observation", ("code", "8867-4"), ("status", "final"), ("date", "ge2020"), ("date", "lt2030"), ("patient", "pa"))).Order(StringComparer.Ordinal));
        Assert.Empty(await store.FindAsync("Observation", ("patient", "pa"), ("patient", "pb")));
    }

    [Fact]
    public async Task A_type_finds_nothing_of_another_type()
    {
        await using var store = NewStore();
        await store.PutAsync("same", Sample.Patient());
        await store.PutAsync("same", Sample.Device("SN-1"));
        await store.PutAsync("same", Sample.HeartRate());
        foreach (var type in (string[])["Patient", "Device", "Observation"])
        {
            var page = await store.PageAsync(TestStore.Query(type, ("_id", "same")));
            Assert.Equal(type, Assert.Single(page.Matches).Type);
        }

        Assert.Empty(await store.FindAsync("Encounter"));
    }

    [Fact]
    public async Task Uris_are_exact()
    {
        await using var store = NewStore();
        await store.PutAsync("x", """{"resourceType":"Subscription","status":"off","reason":"r","criteria":"Observation?","channel":{"type":"rest-hook","endpoint":"https://a.example/b"}}""");
        Assert.Equal(["x"], await store.FindAsync("Subscription", ("url", "https://a.example/b")));
        Assert.Empty(await store.FindAsync("Subscription", ("url", "https://a.example/")));
        Assert.Empty(await store.FindAsync("Subscription", ("url", "https://A.example/b")));
    }

    [Fact]
    public async Task Old_values_are_not_found_after_an_update()
    {
        await using var store = NewStore();
        await store.PutAsync("x", Sample.HeartRate("Patient/pa", "2026-02-01", "8867-4"));
        await store.PutAsync("x", Sample.HeartRate("Patient/pb", "2026-02-02", "9279-1", "laboratory"));
        foreach (var (name, old, now) in new[] { ("patient", "pa", "pb"), ("date", "2026-02-01", "2026-02-02"), ("code", "8867-4", "9279-1"), ("category", "vital-signs", "laboratory") })
        {
            Assert.Empty(await store.FindAsync("Observation", (name, old)));
            Assert.Equal(["x"], await store.FindAsync("Observation", (name, now)));
        }
    }

    [Fact]
    public async Task A_subject_with_a_thousand_kinds_of_readings_is_sorted_by_time()
    {
        await using var store = NewStore();
        await store.RunAsync(transaction =>
        {
            for (var number = 0; number < 1000; number++)
            {
                transaction.Put(TestStore.Prepare(Sample.HeartRate(effective: $"2026-02-01T{number / 60:00}:{number % 60:00}:00Z", code: $"c{number}")), $"x{number:0000}", previous: null);
            }
        });
        Assert.Equal(Enumerable.Range(0, 1000).Select(number => $"x{number:0000}"), await store.WalkAsync(TestStore.Query("Observation", ("patient", "pa"), ("_sort", "date"), ("_count", "77"))));
        Assert.Equal(Enumerable.Range(0, 1000).Reverse().Select(number => $"x{number:0000}"), await store.WalkAsync(TestStore.Query("Observation", ("patient", "pa"), ("_sort", "-date"), ("_count", "77"))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(70)]
    public async Task Readings_of_several_kinds_come_in_the_order_of_their_time(int kinds)
    {
        // Every third lasts for days, each time is that of two, and some have none.
        await using var store = NewStore();
        var starts = new Dictionary<string, DateTime?>();
        await store.RunAsync(transaction =>
        {
            for (var number = 0; number < 90; number++)
            {
                DateTime? start = number % 10 == 9 ? null : new DateTime(2026, 2, 1).AddHours(number * 37 % 90 / 2 * 2);
                var effective = start is null ? null : number % 3 == 0 ? $$"""
                    "effectivePeriod":{"start":"{{start:s}}Z","end":"{{start.Value.AddDays(3):s}}Z"}
                    """.Trim() : $"\"effectiveDateTime\":\"{start:s}Z\"";
                var id = $"x{number:00}";
                starts.Add(id, start);
                transaction.Put(TestStore.Prepare(Sample.Observation($$"""{"coding":[{"system":"http://loinc.org","code":"c{{number % kinds}}"}]}""", "Patient/pa", effective, "vital-signs", "")), id, previous: null);
            }
        });

        // The last kind is not asked for by name.
        var codes = string.Join(',', Enumerable.Range(0, Math.Max(1, kinds - 1)).Select(kind => $"c{kind}"));
        var named = starts.Where(one => kinds == 1 || int.Parse(one.Key[1..], System.Globalization.CultureInfo.InvariantCulture) % kinds < kinds - 1).ToList();
        var from = new DateTime(2026, 2, 3);
        bool LastsUntil(KeyValuePair<string, DateTime?> one) => one.Value is { } start && (start >= from || (one.Key[1..] is var number && int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) % 3 == 0 && start.AddDays(3) > from));
        foreach (var sort in (string[])["date", "-date"])
        {
            await AssertWalkAsync(starts, ("patient", "pa"), ("_sort", sort));
            await AssertWalkAsync(named, ("patient", "pa"), ("code", codes), ("_sort", sort));
            await AssertWalkAsync(named.Where(LastsUntil), ("patient", "pa"), ("code", codes), ("date", $"ge{from:s}Z"), ("_sort", sort));
            await AssertWalkAsync(starts.Where(LastsUntil), ("patient", "pa"), ("date", $"ge{from:s}Z"), ("_sort", sort));
        }

        async Task AssertWalkAsync(IEnumerable<KeyValuePair<string, DateTime?>> expected, params (string Name, string Value)[] arguments)
        {
            var all = expected.ToList();
            foreach (var count in (string[])["1", "4", "13", "100"])
            {
                var walked = await store.WalkAsync(TestStore.Query("Observation", [.. arguments, ("_count", count)]));
                Assert.Equal(all.Select(one => one.Key).Order(StringComparer.Ordinal), walked.Order(StringComparer.Ordinal));
                var times = walked.ConvertAll(id => starts[id]);

                // Those without a time come last either way.
                Assert.Equal(arguments[^1].Value == "date" ? times.OrderBy(time => time ?? DateTime.MaxValue) : times.OrderByDescending(time => time ?? DateTime.MinValue), times);
            }
        }
    }

    [Fact]
    public async Task A_cursor_of_something_else_is_refused()
    {
        await using var store = NewStore();
        foreach (var cursor in (string[])["", "x", "AAAA", new string('A', 42), new string('A', 44), new string('!', 43), new string('é', 43)])
        {
            var outcome = await store.Store.SearchAsync(TestStore.Query("Observation") with { Cursor = cursor }, SearchAccess.Everything, CancellationToken.None);
            Assert.Equal("IOMT-0706", Assert.Single(outcome.Issues).Code);
        }
    }

    private static IEnumerable<string> Sorted(string names) => names.Split(',', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);

    private async Task<TestStore> DatesAsync()
    {
        var store = NewStore();
        await store.PutAsync("year", Sample.HeartRate(effective: "2026"));
        await store.PutAsync("month", Sample.HeartRate(effective: "2026-02"));
        await store.PutAsync("day", Sample.HeartRate(effective: "2026-02-01"));
        await store.PutAsync("second", Sample.HeartRate(effective: "2026-02-01T10:00:00Z"));
        await store.PutAsync("evening", Sample.InPeriod("2026-02-01T18:00:00Z", "2026-02-01T22:00:00Z"));
        await store.PutAsync("before", Sample.HeartRate(effective: "2025-12-31T23:59:59Z"));
        await store.PutAsync("after", Sample.HeartRate(effective: "2027-01-01"));
        await store.PutAsync("since", Sample.InPeriod("2026-02-01T12:00:00Z", null));
        await store.PutAsync("until", Sample.InPeriod(null, "2026-01-31T12:00:00Z"));
        await store.PutAsync("never", Sample.HeartRate(effective: null));
        return store;
    }

    private async Task<TestStore> TokensAsync()
    {
        var store = NewStore();
        await store.PutAsync("loinc", Sample.HeartRate(code: "8867-4"));
        await store.PutAsync("both", Coded("""{"coding":[{"system":"http://loinc.org","code":"8867-4"},{"system":"urn:iso:std:iso:11073:10101","code":"147842"}]}"""));
        await store.PutAsync("none", Coded("""{"coding":[{"code":"local"}]}"""));
        await store.PutAsync("other", Sample.HeartRate(code: "9279-1"));
        await store.PutAsync("text", Coded("""{"text":"pulse"}"""));
        return store;
    }

    private static string Coded(string code) => Sample.Observation(code, "Patient/pa", "\"effectiveDateTime\":\"2026-02-01\"", "vital-signs", "");
}

public sealed class SearchTestsOnPostgreSql : SearchTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
