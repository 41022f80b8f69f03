using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Loading;

/// <summary>
/// Reads a CollectionContent text. Besides the connector's members the root may hold two of ours: <c>timeZone</c>, an IANA name or "UTC", and
/// <c>connectorDefects</c>, the names of those of the connector's ways that this mapping depends on (docs/medtech-differences.md).
/// </summary>
internal sealed class DeviceMappingLoader(LoadIssues issues)
{
    private const string JsonPathContent = "JsonPathContent";
    private const string CalculatedContent = "CalculatedContent";
    private const string IotContent = "IotJsonPathContent";
    private const string IotCentralContent = "IotCentralJsonPathContent";

    private TimeZoneInfo? _zone;
    private ConnectorDefects _defects;

    public DeviceMapping Load(ResourceNode root)
    {
        var templates = new List<ContentTemplate>();
        foreach (var entry in TemplateCollection.Read(root, "CollectionContent", issues, ReadRoot))
        {
            if (TemplateCollection.ReadEntry(entry, issues) is { } parts && LoadTemplate(parts.Type, parts.Template) is { } template)
            {
                templates.Add(template);
            }
        }

        return new DeviceMapping(templates, _zone, _defects);
    }

    private void ReadRoot(TemplateReader reader)
    {
        foreach (var name in reader.List("connectorDefects"))
        {
            if (name.AsString() is { } text && ConnectorDefectNames.All.TryGetValue(text, out var defect))
            {
                _defects |= defect;
            }
            else
            {
                issues.BadValue(name, "connectorDefects", name.AsText(), string.Join(", ", ConnectorDefectNames.All.Keys));
            }
        }

        var member = reader.Member("timeZone");
        if (member.Exists && !(member.AsString() is { } id && TimeZoneInfo.TryFindSystemTimeZoneById(id, out _zone)))
        {
            issues.BadValue(member, "timeZone", member.AsText(), "an IANA zone name such as \"Europe/Berlin\", or \"UTC\"");
        }
    }

    private ContentTemplate? LoadTemplate(ResourceNode type, ResourceNode template)
    {
        var name = type.AsText();
        string[] known = [JsonPathContent, CalculatedContent, IotContent, IotCentralContent];
        var kind = known.FirstOrDefault(candidate => TemplateCollection.IsType(name, candidate));
        if (kind is null)
        {
            issues.WrongTemplateType(type, string.Join(", ", known), name);
            return null;
        }

        return TemplateReader.For(template, name!, issues) is { } reader ? LoadTemplate(reader, kind) : null;
    }

    private ContentTemplate? LoadTemplate(TemplateReader reader, string kind)
    {
        var calculated = kind == CalculatedContent;
        var paths = new ExpressionReader(reader, calculated, _defects);
        var typeName = reader.RequiredText("typeName");
        var match = paths.Required("typeMatchExpression");
        var (deviceId, time) = kind switch
        {
            IotContent => (Fixed("$.SystemProperties.iothub-connection-device-id"), [Fixed("$.Properties.iothub-creation-time-utc"), Fixed("$.SystemProperties.iothub-enqueuedtime")]),
            IotCentralContent => (Fixed("$.deviceId"), [Fixed("$.enqueuedTime")]),
            _ => (paths.Required("deviceIdExpression"), new[] { paths.Required("timestampExpression") }),
        };
        var patient = paths.Optional("patientIdExpression");
        var encounter = paths.Optional("encounterIdExpression");
        var correlation = paths.Optional("correlationIdExpression");
        var values = reader.List("values", required: calculated).Select(value => LoadValue(value, paths)).ToArray();
        reader.RefuseUnknown();
        if (typeName is null || match is null || deviceId is null || time.Contains(null) || values.Contains(null))
        {
            return null;
        }

        return new ContentTemplate
        {
            TypeName = typeName,
            Position = reader.Node.Position,
            Match = match,
            DeviceId = deviceId,
            Time = time!,
            PatientId = patient,
            EncounterId = encounter,
            CorrelationId = correlation,
            Values = values!,
            SeesWholeEvent = calculated,
        };
    }

    private ExtractedValue? LoadValue(ResourceNode node, ExpressionReader template)
    {
        if (TemplateReader.For(node, "A value", issues) is not { } reader)
        {
            return null;
        }

        var name = reader.RequiredText("valueName");
        var path = template.In(reader).Required("valueExpression");
        var required = reader.Flag("required");
        reader.RefuseUnknown();
        return name is null || path is null ? null : new ExtractedValue(name, path, required);
    }

    private static MappingExpression Fixed(string path) => JsonPathExpression.Parse(path, out _)!;
}
