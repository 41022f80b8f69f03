using System.Globalization;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Loading;

/// <summary>
/// Reads a CollectionFhir text. Besides the connector's members a template may hold, ours: <c>profile</c>, a canonical that is stamped into
/// meta.profile, and <c>effective</c>: "dateTime" for effectiveDateTime ("Period", the connector's way, is the default).
/// </summary>
internal sealed class FhirMappingLoader(LoadIssues issues, ConnectorDefects defects)
{
    private static readonly (string Name, ReadingPeriod Period)[] Periods =
        [("CorrelationId", ReadingPeriod.Correlation), ("Single", ReadingPeriod.Single), ("Hourly", ReadingPeriod.Hourly), ("Daily", ReadingPeriod.Daily)];

    // What the template being read fails with at run time, where the mapping asks for that.
    private string? _failure;

    public IReadOnlyDictionary<string, FhirTemplate> Load(ResourceNode root)
    {
        var templates = new Dictionary<string, FhirTemplate>(StringComparer.OrdinalIgnoreCase);
        foreach (var entry in TemplateCollection.Read(root, "CollectionFhir", issues))
        {
            if (TemplateCollection.ReadEntry(entry, issues) is not { } parts)
            {
                continue;
            }

            if (!TemplateCollection.IsType(parts.Type.AsText(), "CodeValueFhir"))
            {
                issues.WrongTemplateType(parts.Type, "CodeValueFhir", parts.Type.AsText());
            }
            else if (LoadTemplate(parts.Template) is { } template && !templates.TryAdd(template.TypeName, template))
            {
                issues.DuplicateType(new TemplateReader(parts.Template, "", issues).Member("typeName"), template.TypeName);
            }
        }

        return templates;
    }

    private FhirTemplate? LoadTemplate(ResourceNode node)
    {
        if (TemplateReader.For(node, "CodeValueFhir", issues) is not { } reader)
        {
            return null;
        }

        _failure = null;
        var typeName = reader.RequiredText("typeName");
        var codes = LoadCodes(reader, "codes", required: true);
        var period = LoadPeriod(reader.Member("periodInterval"));
        var category = reader.List("category").Select(LoadConcept).ToArray();
        var value = reader.Member("value");
        var template = new FhirTemplate
        {
            TypeName = typeName ?? "",
            Codings = FhirJson.Codings(codes),
            Category = FhirJson.Category(category),
            Value = value.Exists ? LoadValue(value) : null,
            Components = [.. reader.List("components").Select(LoadComponent).OfType<FhirComponent>()],
            Period = period,
            Failure = _failure,
            Meta = FhirJson.Meta(reader.Text("profile")),
            EffectiveDateTime = IsDateTime(reader.Member("effective")),
        };
        reader.RefuseUnknown();
        return typeName is null ? null : template;
    }

    private bool IsDateTime(ResourceNode member)
    {
        var name = member.AsText();
        var isDateTime = string.Equals(name, "dateTime", StringComparison.OrdinalIgnoreCase);
        if (member.Exists && !isDateTime && !string.Equals(name, "Period", StringComparison.OrdinalIgnoreCase))
        {
            issues.BadValue(member, "effective", name, "\"dateTime\" or \"Period\"");
        }

        return isDateTime;
    }

    private ReadingPeriod LoadPeriod(ResourceNode member)
    {
        if (!member.Exists)
        {
            return ReadingPeriod.Single;
        }

        var text = member.AsText();
        var isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var minutes);
        var known = Periods.FirstOrDefault(known => isNumber ? (int)known.Period == minutes : known.Name.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (known.Name is null && (!isNumber || !IsLate($"periodInterval {minutes} is not supported.")))
        {
            issues.BadValue(member, "periodInterval", text, "0 (Single), 60 (Hourly), 1440 (Daily) or -1 (CorrelationId)");
        }

        return known.Period;
    }

    /// <summary>Whether the mapping asks that this fails with each message.</summary>
    private bool IsLate(string failure)
    {
        if (!defects.HasFlag(ConnectorDefects.ErrorsAtRunTime))
        {
            return false;
        }

        _failure ??= failure;
        return true;
    }

    private FhirComponent? LoadComponent(ResourceNode node)
    {
        if (TemplateReader.For(node, "A component", issues) is not { } reader)
        {
            return null;
        }

        var codes = LoadCodes(reader, "codes", required: true);
        var member = reader.Member("value");
        reader.RefuseUnknown();
        if (!member.Exists)
        {
            if (!IsLate("A component has no value."))
            {
                issues.ComponentWithoutValue(node);
            }

            return null;
        }

        return LoadValue(member) is { } value
            ? new FhirComponent([.. "\"code\":"u8, .. FhirJson.ConnectorConcept(FhirJson.Codings(codes), value.Name), (byte)','], value)
            : null;
    }

    // Unknown members inside a value are let pass, as the connector does: published mappings carry members of one value type in another.
    private FhirValue? LoadValue(ResourceNode node)
    {
        if (TemplateReader.For(node, "value", issues) is not { } reader)
        {
            return null;
        }

        var type = reader.Required("valueType");
        var name = reader.RequiredText("valueName") ?? "";
        switch (type.AsText()?.ToUpperInvariant())
        {
            case "QUANTITY":
                var end = FhirJson.QuantityEnd(reader.Text("unit"), reader.Text("system"), reader.Text("code"));
                return new FhirValue(name, FhirValueKind.Quantity, "\"valueQuantity\":{\"value\":"u8.ToArray(), end);
            case "STRING":
                return new FhirValue(name, FhirValueKind.Text, "\"valueString\":"u8.ToArray(), []);
            case "CODEABLECONCEPT":
                var concept = FhirJson.Concept(LoadCodes(reader, "codes", required: false), reader.Text("text"));
                return new FhirValue(name, FhirValueKind.Concept, "\"valueCodeableConcept\":"u8.ToArray(), concept);
            case "SAMPLEDDATA":
                return LoadSamples(reader, name);
            default:
                if (type.Exists)
                {
                    issues.BadValue(type, "valueType", type.AsText(), "Quantity, String, CodeableConcept or SampledData");
                }

                return null;
        }
    }

    private FhirValue? LoadSamples(TemplateReader reader, string name)
    {
        var member = reader.Member("defaultPeriod");
        if (!member.Exists)
        {
            if (!IsLate("SampledData has no defaultPeriod."))
            {
                reader.Required("defaultPeriod");
            }

            return null;
        }

        if (!decimal.TryParse(member.AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds < 0.001m || milliseconds > 86_400_000m)
        {
            issues.BadValue(member, "defaultPeriod", member.AsText(), "the milliseconds between two samples, from 0.001 to 86400000");
            return null;
        }

        var end = FhirJson.SamplesMiddle(reader.Text("unit"), milliseconds);
        return new FhirValue(name, FhirValueKind.Samples, [.. "\"valueSampledData\":"u8, .. end], "\"}"u8.ToArray())
        {
            SamplePeriod = TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond)),
        };
    }

    private (IReadOnlyList<FhirCode> Codes, string? Text) LoadConcept(ResourceNode node)
    {
        if (TemplateReader.For(node, "category", issues) is not { } reader)
        {
            return ([], null);
        }

        var codes = LoadCodes(reader, "codes", required: false);
        var text = reader.Text("text");
        reader.RefuseUnknown();
        return (codes, text);
    }

    private FhirCode[] LoadCodes(TemplateReader owner, string name, bool required)
    {
        return [.. owner.List(name, required).Select(LoadCode).OfType<FhirCode>()];

        FhirCode? LoadCode(ResourceNode node)
        {
            if (TemplateReader.For(node, "A code", issues) is not { } reader)
            {
                return null;
            }

            var code = new FhirCode(reader.Text("system"), reader.Text("code"), reader.Text("display"));
            reader.RefuseUnknown();
            return code;
        }
    }
}
