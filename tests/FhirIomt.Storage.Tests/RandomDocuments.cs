namespace FhirIomt.Storage.Tests;

/// <summary>Random resources and random searches for them, out of few values, so that searches find some and miss some.</summary>
internal static class RandomDocuments
{
    private static readonly string[] Codes = ["8867-4", "9279-1", "59408-5", "29463-7"];
    private static readonly string[] Days = ["2026-01-05", "2026-01-06", "2026-01-07"];
    private static readonly string[] Prefixes = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
    private static readonly string[] Numbers = ["1", "2", "2.5", "2.50", "10", "100", "0.1", "-1", "1e2", "0"];
    private static readonly string[] Uris = ["http://a.example/x", "http://a.example/x/1", "http://a.example/x/1/2", "http://a.example/xy", "urn:b"];
    private static readonly string[] Searches = ["Patient", "Device", "RiskAssessment", "ActivityDefinition"];

    public static (string Type, string Json) Document(Random random) => random.Next(14) switch
    {
        0 => ("Patient", Sample.Patient(Pick(random, ["Chalmers", "Müller", "MULLER", "Öz", "Aa"]), random.Next(2) == 0 ? "" : $"\"birthDate\":\"{Pick(random, ["1980", "1980-05", "1980-05-01", "1981-01-01"])}\",\"gender\":\"{Pick(random, ["male", "female"])}\"")),
        1 => ("Device", Sample.Device($"SN{random.Next(6)}", random.Next(2) == 0 ? null : $"p{random.Next(4)}")),
        2 => ("RiskAssessment", $$"""{"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/p{{random.Next(4)}}"},"prediction":[{{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(_ => $"{{\"probabilityDecimal\":{Pick(random, Numbers)}}}"))}}]}"""),
        3 => ("ActivityDefinition", Activity(random)),
        _ => ("Observation", Observation(random)),
    };

    public static (string Type, (string Name, string Value)[] Arguments) Query(Random random)
    {
        var type = random.Next(3) == 0 ? Pick(random, Searches) : "Observation";
        var arguments = new List<(string, string)>();
        for (var count = random.Next(4); count > 0; count--)
        {
            arguments.Add(Argument(random, type));
        }

        if (Order(random, type) is { Length: > 0 } order)
        {
            arguments.Add(("_sort", order));
        }

        if (type == "Observation" && random.Next(3) == 0)
        {
            arguments.Add(("_include", Pick(random, ["Observation:subject", "Observation:device", "Observation:subject:Patient", "Observation:patient"])));
        }

        return (type, [.. arguments]);
    }

    public static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static string Order(Random random, string type)
    {
        string[] keys = type switch
        {
            "Observation" => ["date", "_lastUpdated", "code", "value-quantity", "status", "device", "component-value-quantity", "value-string", "_id", "subject"],
            "Patient" => ["family", "birthdate", "gender", "_id", "name"],
            "Device" => ["identifier", "patient", "_lastUpdated"],
            "RiskAssessment" => ["probability", "_lastUpdated", "subject"],
            _ => ["url", "status", "context-quantity"],
        };
        return string.Join(',', Enumerable.Range(0, Pick(random, [0, 0, 1, 1, 1, 2])).Select(_ => Pick(random, ["", "-"]) + Pick(random, keys)));
    }

    private static (string Name, string Value) Argument(Random random, string type) => random.Next(6) switch
    {
        0 => ("_filter", Filter(random, type, depth: 0)),
        1 when type == "Patient" => Pick(random, [("_has:Observation:subject:code", "8867-4"), ("_has:Observation:patient:date", "2026-01-05"), ("_has:Device:patient:identifier", "SN1"), ("_has:Observation:subject:device.identifier", "SN1"), ("_has:RiskAssessment:subject:probability", "gt1")]),
        1 when type == "Observation" => Pick(random, [("subject:Patient.family", "family1"), ("patient.birthdate", "1980"), ("device.patient.family", "Fam"), ("subject.family", "F"), ("device:Device.identifier", "SN1"), ("device.identifier:not", "SN1")]),
        _ => Plain(random, type),
    };

    private static (string Name, string Value) Plain(Random random, string type) => type switch
    {
        "Patient" => PatientArgument(random),
        "Device" => DeviceArgument(random),
        "RiskAssessment" => random.Next(3) switch
        {
            0 => ("probability:missing", Pick(random, ["true", "false"])),
            1 => ("subject:Patient.family", Pick(random, ["family1", "Family", "Nobody"])),
            _ => ("probability", Pick(random, Prefixes) + Pick(random, Numbers)),
        },
        "ActivityDefinition" => ActivityArgument(random),
        _ => random.Next(3) == 0 ? ValueArgument(random) : ObservationArgument(random),
    };

    private static string Filter(Random random, string type, int depth)
    {
        if (depth < 3 && random.Next(2) == 0)
        {
            var (left, right) = (Filter(random, type, depth + 1), Filter(random, type, depth + 1));
            return random.Next(3) switch { 0 => $"not({left})", 1 => $"({left}) and ({right})", _ => $"({left} or {right})" };
        }

        return type switch
        {
            "Patient" => Pick(random, [$"family co \"{Pick(random, ["u", "al"])}\"", "family eq \"muller\"", "family ew \"ers\"", "birthdate ge 1980-05", "gender ne male", "gender pr false", "birthdate po 1980-05"]),
            "Device" => Pick(random, [$"identifier eq SN{random.Next(6)}", "patient re Patient/p1", "patient pr true", "patient.family sw fam"]),
            "RiskAssessment" => $"probability {Pick(random, ["eq", "ne", "gt", "lt", "ge", "le", "ap"])} {Pick(random, Numbers)}",
            "ActivityDefinition" => Pick(random, ["url sw http://a.example/x", "url eq urn:b", "url sb http://a.example/x/1/2"]),
            _ => Pick(random, [$"code eq {Pick(random, Codes)}", $"code ne {Pick(random, Codes)}", "code co pul", "status eq final", $"date ge {Pick(random, Days)}", $"value-quantity gt {Pick(random, Numbers)}", "device pr true", "subject.family co amily", "subject[family eq family1].gender pr false"]),
        };
    }

    private static string Activity(Random random)
    {
        string Context() => random.Next(3) == 0
            ? $$"""{"code":{"code":"{{Pick(random, ["age", "focus"])}}"},"valueCodeableConcept":{"coding":[{"system":"urn:c","code":"{{Pick(random, Codes)}}"}]} }"""
            : $$"""{"code":{"code":"{{Pick(random, ["age", "focus"])}}"},"value{{Amount(random)}} }""";
        return $$"""{"resourceType":"ActivityDefinition","status":"{{Pick(random, ["draft", "active"])}}","url":"{{Pick(random, Uris)}}","useContext":[{{string.Join(',', Enumerable.Range(0, 1 + random.Next(2)).Select(_ => Context()))}}]}""";
    }

    private static (string Name, string Value) ActivityArgument(Random random) => random.Next(6) switch
    {
        0 => (Pick(random, ["url", "url:below", "url:above"]), Pick(random, [.. Uris, "http://a.example", "http://a.example/x/"])),
        1 => ("context-type-quantity", $"{Pick(random, ["age", "focus"])}${Quantity(random)}"),
        2 => ("context-type-value", $"{Pick(random, ["age", "focus"])}$urn:c|{Pick(random, Codes)}"),
        3 => ("context-type-quantity:missing", Pick(random, ["true", "false"])),
        4 => ("context-quantity", Quantity(random)),
        _ => ("status", Pick(random, ["draft", "http://hl7.org/fhir/publication-status|active", "http://other|active"])),
    };

    private static readonly string[] Units =
        ["\"unit\":\"grams\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"g\"", "\"unit\":\"mg\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg\"", "\"unit\":\"mm\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"", "\"unit\":\"g\""];

    // As it follows "value" in a member name.
    private static string Amount(Random random) => random.Next(4) > 0
        ? OneQuantity(random)
        : Pick(random, Units) is var unit ? $"Range\":{{\"low\":{{\"value\":{Pick(random, ["1", "2"])},{unit}}}{(random.Next(2) == 0 ? "" : $",\"high\":{{\"value\":10,{unit}}}")}}}" : "";

    private static string OneQuantity(Random random) =>
        $"Quantity\":{{\"value\":{Pick(random, Numbers)},{(random.Next(8) == 0 ? $"\"comparator\":\"{Pick(random, ["<", ">", "<=", ">="])}\"," : "")}{Pick(random, Units)}}}";

    private static string Quantity(Random random) => Pick(random, Prefixes) + Pick(random, Numbers) + Pick(random, ["", "", "||g", "||mg", "|http://unitsofmeasure.org|g", "|http://unitsofmeasure.org|mg", "|http://unitsofmeasure.org|mm[Hg]", "|http://unitsofmeasure.org|kg", "||grams"]);

    private static (string Name, string Value) ValueArgument(Random random) => random.Next(14) switch
    {
        0 or 1 => ("value-quantity", Quantity(random)),
        2 => ("component-value-quantity", Quantity(random)),
        3 => ("combo-value-quantity", Quantity(random)),
        4 => ("code-value-quantity", $"{Pick(random, Codes)}${Quantity(random)}"),
        5 => ("component-code-value-quantity", $"{Pick(random, Codes)}${Quantity(random)}"),
        6 => ("combo-code-value-quantity", $"http://loinc.org|{Pick(random, Codes)}${Quantity(random)},{Pick(random, Codes)}${Quantity(random)}"),
        7 => ("combo-code" + Pick(random, ["", ":not", ":text"]), Pick(random, [.. Codes, "pul"])),
        8 => ("value-string" + Pick(random, ["", ":contains", ":exact"]), Pick(random, ["fine", "IN", "Fine"])),
        9 => ("code-value-string", $"{Pick(random, Codes)}$fi"),
        10 => ("component-code-value-concept", $"{Pick(random, Codes)}$urn:c|{Pick(random, Codes)}"),
        11 => ("combo-code-value-concept", $"{Pick(random, Codes)}$urn:c|{Pick(random, Codes)}"),
        12 => (Pick(random, ["value-quantity:missing", "combo-value-quantity:missing", "combo-code:missing", "component-code:missing", "code-value-quantity:missing", "component-code-value-quantity:missing", "combo-code-value-quantity:missing", "value-string:missing"]), Pick(random, ["true", "false"])),
        _ => (Pick(random, ["value-concept", "combo-value-concept", "component-value-concept"]), Pick(random, Codes)),
    };

    private static string Value(Random random) => random.Next(6) switch
    {
        0 => "",
        1 => $"\"valueString\":\"{Pick(random, ["Fine", "in pain", "fineable"])}\"",
        2 => $"\"valueCodeableConcept\":{{\"coding\":[{{\"system\":\"urn:c\",\"code\":\"{Pick(random, Codes)}\"}}]}}",
        _ => "\"value" + OneQuantity(random),
    };

    private static string Component(Random random)
    {
        string?[] members =
        [
            random.Next(6) == 0 ? "\"code\":{\"text\":\"pulse\"}" : $"\"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"{Pick(random, Codes)}\"}}]}}",
            Value(random) is { Length: > 0 } value ? value : null,
        ];
        return $"{{{string.Join(',', members.OfType<string>())}}}";
    }

    private static string Observation(Random random)
    {
        var code = random.Next(8) switch
        {
            0 => """{"text":"pulse"}""",
            1 => """{"coding":[{"code":"local"}]}""",
            2 => $$"""{"coding":[{"system":"http://loinc.org","code":"{{Pick(random, Codes)}}"},{"system":"urn:iso:std:iso:11073:10101","code":"147842"}]}""",
            _ => $$"""{"coding":[{"system":"http://loinc.org","code":"{{Pick(random, Codes)}}"}]}""",
        };
        var subject = random.Next(10) switch { 0 => null, 1 => "Group/p0", 2 => "Patient/p1/_history/1", 3 => "https://elsewhere.example/Patient/p1", _ => $"Patient/p{random.Next(4)}" };
        var day = Pick(random, Days);
        var effective = random.Next(9) switch
        {
            0 => null,
            1 => $"\"effectivePeriod\":{{\"start\":\"{day}\"}}",
            2 => $"\"effectivePeriod\":{{\"end\":\"{day}\"}}",
            3 => $"\"effectivePeriod\":{{\"start\":\"2026-01-05\",\"end\":\"{day}T12:00:00Z\"}}",
            4 => $"\"effectiveDateTime\":\"{Pick(random, ["2026", "2026-01", day])}\"",
            5 => $"\"effectiveInstant\":\"{day}T08:00:00.000Z\"",
            _ => $"\"effectiveDateTime\":\"{day}T{random.Next(8, 12):00}:00:00Z\"",
        };
        string?[] more =
        [
            random.Next(3) == 0 ? $"\"device\":{{\"reference\":\"Device/d{random.Next(4)}\"}}" : null,
            Value(random) is { Length: > 0 } value ? value : null,
            random.Next(3) == 0 ? $"\"component\":[{Component(random)},{Component(random)}]" : null,
        ];
        return Sample.Observation(code, subject, effective, Pick(random, ["vital-signs", "laboratory"]), string.Join(',', more.OfType<string>())).Replace("\"final\"", $"\"{Pick(random, ["final", "amended"])}\"", StringComparison.Ordinal);
    }

    private static (string Name, string Value) ObservationArgument(Random random) => random.Next(14) switch
    {
        0 => ("patient", $"p{random.Next(5)}"),
        1 => ("subject", Pick(random, ["Patient/p0", "p0", "Group/p0", "Patient/p1,Patient/p2", "https://elsewhere.example/Patient/p1", "Patient/p3,p0"])),
        2 => ("code", Pick(random, [.. Codes, "local", "|local", "http://loinc.org|", "http://loinc.org|8867-4", "147842,9279-1", "nothing"])),
        3 => ("code:not", Pick(random, [.. Codes, "http://loinc.org|", "|local"])),
        4 or 5 or 6 => ("date", Pick(random, Prefixes) + Pick(random, ["2026", "2026-01", .. Days, "2026-01-06T09:00:00Z", "2026-01-06T09:00", "2026-01-06T12:00:00Z"])),
        7 => ("date", $"lt{Pick(random, Days)},gt{Pick(random, Days)}"),
        8 => ("category", Pick(random, ["vital-signs", "laboratory", "vital-signs,laboratory", "nothing"])),
        9 => ("status", Pick(random, ["final", "amended", "cancelled"])),
        10 => ("status:not", Pick(random, ["final", "amended"])),
        11 => (Pick(random, ["date:missing", "subject:missing", "patient:missing", "device:missing", "code:missing", "category:missing"]), Pick(random, ["true", "false"])),
        12 => ("device", $"Device/d{random.Next(5)}"),
        _ => ("_lastUpdated", Pick(random, ["ge", "lt", "gt", "le", "ne", "ap"]) + $"2026-03-01T12:00:00.{random.Next(900):000}Z"),
    };

    private static (string Name, string Value) PatientArgument(Random random) => random.Next(5) switch
    {
        0 => (Pick(random, ["family", "family:exact", "family:contains", "name"]), Pick(random, ["mul", "Müller", "all", "a", "Öz", "FAMILY"])),
        1 => ("birthdate", Pick(random, Prefixes) + Pick(random, ["1980", "1980-05", "1980-05-01"])),
        2 => ("gender", Pick(random, ["male", "female", "male,female"])),
        3 => (Pick(random, ["gender:not", "gender"]), "male"),
        _ => ("birthdate:missing", Pick(random, ["true", "false"])),
    };

    private static (string Name, string Value) DeviceArgument(Random random) => random.Next(4) switch
    {
        0 => ("identifier", Pick(random, ["SN1", "urn:example:serial|SN2", "urn:example:serial|", "|SN1", "SN1,SN2"])),
        1 => ("patient", $"p{random.Next(5)}"),
        2 => ("patient:missing", Pick(random, ["true", "false"])),
        _ => ("identifier:not", $"SN{random.Next(6)}"),
    };
}
