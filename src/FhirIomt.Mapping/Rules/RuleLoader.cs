using System.Globalization;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Loading;

namespace FhirIomt.Mapping.Rules;

/// <summary>Reads a FhirIomt mapping. The format is described in docs/mapping.md.</summary>
internal sealed class RuleLoader(LoadIssues issues)
{
    public const string TemplateType = "FhirIomt";

    private readonly Dictionary<string, string> _constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyDictionary<string, JmesValue>> _tables = new(StringComparer.Ordinal);
    private static readonly string[] Shared = ["device", "patient", "time", "until", "key"];

    // What the mapping says for all rules that do not say it themselves.
    private readonly Dictionary<string, ResourceNode> _shared = new(StringComparer.Ordinal);
    private TimeZoneInfo? _zone;

    public static bool Is(ResourceNode root) => root.IsObject && TemplateCollection.IsType(new TemplateReader(root, "", new LoadIssues()).Member("templateType").AsText(), TemplateType);

    public RuleSet Load(ResourceNode root)
    {
        var reader = new TemplateReader(root, "The mapping", issues);
        reader.Member("templateType");
        reader.Member("description");
        ReadZone(reader.Member("timeZone"));
        ReadConstants(reader.Member("constants"));
        ReadTables(reader.Member("tables"));
        foreach (var name in Shared)
        {
            _shared[name] = reader.Member(name);
        }

        foreach (var map in reader.List("conceptMaps"))
        {
            ReadConceptMap(map);
        }

        var checks = reader.List("checks").Select(LoadCheck).OfType<RuleCheck>().ToList();
        var samples = reader.List("samples").Select(sample => sample.Raw).ToList();
        var rules = reader.List("rules", required: true).Select(LoadRule).OfType<Rule>().ToList();
        reader.RefuseUnknown();
        foreach (var twice in rules.GroupBy(rule => rule.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            issues.DuplicateType(root, twice.Key);
        }

        return new RuleSet(rules, checks, _zone, samples);
    }

    private void ReadZone(ResourceNode member)
    {
        if (member.Exists && !(member.AsString() is { } id && TimeZoneInfo.TryFindSystemTimeZoneById(id, out _zone)))
        {
            issues.BadValue(member, "timeZone", member.AsText(), "an IANA zone name such as \"Europe/Berlin\", or \"UTC\"");
        }
    }

    private void ReadConstants(ResourceNode constants)
    {
        foreach (var constant in constants.IsObject ? constants.Children : default)
        {
            if (constant.AsText() is { } text)
            {
                _constants[constant.Name] = text;
            }
            else
            {
                issues.WrongKind(constant, constant.Name, "a text");
            }
        }
    }

    private void ReadTables(ResourceNode tables)
    {
        foreach (var table in tables.IsObject ? tables.Children : default)
        {
            var rows = new Dictionary<string, JmesValue>(StringComparer.Ordinal);
            foreach (var row in table.IsObject ? table.Children : default)
            {
                rows[row.Name] = JmesValue.Of(row);
            }

            _tables[table.Name] = rows;
        }
    }

    // By its url and its name; a code becomes a CodeableConcept of the first target that matches it.
    private void ReadConceptMap(ResourceNode map)
    {
        var rows = new Dictionary<string, JmesValue>(StringComparer.Ordinal);
        foreach (var group in map["group"u8].Children)
        {
            foreach (var element in group["element"u8].Children)
            {
                foreach (var target in element["target"u8].Children)
                {
                    if (element["code"u8].AsString() is { } from && target["code"u8].AsString() is { } to && target["equivalence"u8].AsString() is not ("unmatched" or "disjoint"))
                    {
                        rows.TryAdd(from, InterpretPart.Coded(group["target"u8].AsString() ?? "", to, target["display"u8].AsString()));
                    }
                }
            }
        }

        if (map["resourceType"u8].AsString() != "ConceptMap" || rows.Count == 0)
        {
            issues.BadRule(map, "An entry of conceptMaps is not a ConceptMap with at least one matched element.", "Put a whole ConceptMap resource there.");
            return;
        }

        foreach (var name in new[] { map["url"u8].AsString(), map["name"u8].AsString() }.OfType<string>())
        {
            _tables[name] = rows;
        }
    }

    private Rule? LoadRule(ResourceNode node)
    {
        if (TemplateReader.For(node, "A rule", issues) is not { } reader)
        {
            return null;
        }

        var name = reader.RequiredText("name");
        reader.Member("description");
        var match = Match(reader.Required("match"));
        var when = Condition(reader.Member("when"));
        var isIgnored = reader.Flag("ignore");
        var (device, isOfSender) = Device(Own(reader, "device"));
        var (patient, encounter, items) = (Expression(Own(reader, "patient")), Expression(reader.Member("encounter")), Expression(reader.Member("items")));
        var times = new RuleTimeLoader(issues, Parts());
        var (time, until) = (times.Load(Own(reader, "time")), times.Load(Own(reader, "until")));
        var key = Keys(Own(reader, "key"));
        var refusal = reader.Text("refuse");
        isIgnored |= refusal is not null;
        var resources = Resources(reader, isIgnored);
        reader.RefuseUnknown();
        if (time.Count == 0 && !isIgnored)
        {
            issues.Missing(node, "time");
        }

        return name is null || match is null ? null : new Rule
        {
            Name = name,
            Position = node.Position,
            Match = match,
            When = when,
            Device = device,
            IsOfSender = isOfSender,
            Patient = patient,
            Encounter = encounter,
            Items = items,
            Key = key,
            IsIgnored = isIgnored,
            Refusal = refusal,
            Time = time,
            Until = until,
            Resources = resources,
        };
    }

    private ResourceNode Own(TemplateReader rule, string name) => rule.Member(name) is { Exists: true } own ? own : _shared[name];

    private IReadOnlyList<RulePart> Keys(ResourceNode node)
    {
        if (!node.Exists)
        {
            return [];
        }

        var keys = new List<RulePart>();
        foreach (var key in node.IsArray ? node.Items : default)
        {
            keys.Add(Parts().Load(key));
        }

        return node.IsArray ? keys : [Parts().Load(node)];
    }

    private PartLoader Parts() => new(issues, _constants, _tables, _references);

    // {"vendor": expression}: a device's own credential says whose it is, and only a vendor's needs the message to.
    private (RuleExpression? Device, bool IsOfSender) Device(ResourceNode node)
    {
        if (!node.IsObject)
        {
            return (Expression(node), !node.Exists);
        }

        var reader = new TemplateReader(node, "device", issues);
        var vendor = Expression(reader.Required("vendor"));
        reader.RefuseUnknown();
        return (vendor, true);
    }

    private RuleCheck? LoadCheck(ResourceNode node)
    {
        if (TemplateReader.For(node, "A check", issues) is not { } reader)
        {
            return null;
        }

        var (name, match) = (reader.RequiredText("name"), Match(reader.Required("match")));
        var musts = new List<(string, RuleCondition)>();
        foreach (var must in reader.Required("must").Children)
        {
            if (Condition(must) is { } condition)
            {
                musts.Add((must.Name, condition));
            }
        }

        reader.RefuseUnknown();
        return name is null || match is null ? null : new RuleCheck(name, match, musts);
    }

    private JsonPathExpression? Match(ResourceNode node)
    {
        if (node.AsString() is not { } text)
        {
            return null;
        }

        var path = JsonPathExpression.ParseStandard(text, out var error);
        if (error is not null)
        {
            issues.BadPath(node, "JSONPath", text, error.Message, error.Position);
        }
        else
        {
            path!.Position = node.Position;
        }

        return path;
    }

    private RuleCondition? Condition(ResourceNode node)
    {
        if (!node.Exists)
        {
            return null;
        }

        var condition = RuleCondition.Parse(node.AsText() ?? "", out var problem);
        if (problem is not null)
        {
            issues.BadRule(node, problem, "Write a filter of RFC 9535, for example \"@.status == 'ok'\".");
        }

        return condition;
    }

    private RuleExpression? Expression(ResourceNode node)
    {
        if (!node.Exists)
        {
            return null;
        }

        var expression = RuleExpression.Parse(node.AsText() ?? "", out var problem);
        if (problem is not null)
        {
            issues.BadRule(node, problem, "Correct the expression.");
        }
        else
        {
            expression!.Inner.Position = node.Position;
        }

        return expression;
    }

    private List<RuleResource> Resources(TemplateReader rule, bool isIgnored)
    {
        var resources = new List<RuleResource>();
        var (single, several) = (rule.Member("resource"), rule.Member("resources"));
        if (isIgnored && !single.Exists && !several.Exists)
        {
            return resources;
        }

        if (single.IsObject == several.IsObject)
        {
            issues.BadRule(rule.Node, "A rule has either 'resource' or 'resources' (an object of several, by name).", "Give it one of them.");
            return resources;
        }

        if (single.IsObject)
        {
            Add(resources, "main", single);
        }

        foreach (var resource in several.IsObject ? several.Children : default)
        {
            Add(resources, resource.Name, resource);
        }

        foreach (var (name, at) in _references.Where(reference => resources.TrueForAll(resource => resource.Name != reference.Name)))
        {
            issues.BadRule(at, $"The rule has no resource '{name}'.", "Refer to patient, device, encounter or a resource of the same rule.");
        }

        _references.Clear();
        return resources;
    }

    private readonly List<(string Name, ResourceNode At)> _references = [];

    private void Add(List<RuleResource> resources, string name, ResourceNode node)
    {
        var type = node["resourceType"u8].AsString() ?? (node["$measure"u8].Exists ? "Observation" : null);
        if (type is null)
        {
            issues.Missing(node, "resourceType");
            return;
        }

        var (when, key) = (node["$when"u8], node["$key"u8]);
        if (key.Exists && !key.TextEquals("device"u8))
        {
            issues.BadValue(key, "$key", key.AsText(), "\"device\" (one for the device, whatever the time)");
        }

        var body = Parts().LoadResource(node);
        resources.Add(new RuleResource(name, type, body, Condition(when), key.Exists, node.Position));
    }
}
