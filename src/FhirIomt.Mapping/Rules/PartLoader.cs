using System.Globalization;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Loading;

namespace FhirIomt.Mapping.Rules;

/// <summary>Compiles a resource template: FHIR JSON in which texts may hold <c>{expressions}</c> and objects with a '$' member are directives.</summary>
internal sealed class PartLoader(
    LoadIssues issues, IReadOnlyDictionary<string, string> constants, IReadOnlyDictionary<string, IReadOnlyDictionary<string, JmesValue>> tables, List<(string Name, ResourceNode At)> references)
{
    private const string AbsenceSystem = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

    private static readonly ConstantPart Nothing = new(JmesValue.Null);

    /// <summary>A whole resource: what its <c>$measure</c> says comes first, and the template's own members win.</summary>
    public RulePart LoadResource(ResourceNode node) => LoadObject(node, isResource: true);

    public RulePart Load(ResourceNode node) => node.Kind switch
    {
        NodeKind.Object => LoadObject(node),
        NodeKind.Array => LoadArray(node),
        NodeKind.String => LoadText(node),
        _ => new ConstantPart(JmesValue.Of(node)),
    };

    private RulePart LoadObject(ResourceNode node, bool isResource = false)
    {
        var members = new List<(string, RulePart)>();
        if (node["$measure"u8] is { Exists: true } measure)
        {
            foreach (var member in MeasureTemplate.Of(measure, isResource, issues).Children)
            {
                if (!node[System.Text.Encoding.UTF8.GetBytes(member.Name)].Exists)
                {
                    members.Add((member.Name, new ConstantPart(JmesValue.Of(member))));
                }
            }
        }

        foreach (var member in node.Children)
        {
            var name = member.Name;
            if (name is "$when" or "$key" or "$measure")
            {
                continue;
            }

            if (name.StartsWith('$'))
            {
                return LoadDirective(node, name);
            }

            members.Add((name, Load(member)));
        }

        return new ObjectPart([.. members]);
    }

    private ArrayPart LoadArray(ResourceNode node)
    {
        var parts = new List<RulePart>();
        foreach (var item in node.Children)
        {
            parts.Add(Load(item));
        }

        return new ArrayPart([.. parts]);
    }

    private RulePart LoadDirective(ResourceNode node, string name)
    {
        var reader = new TemplateReader(node, name, issues);
        var main = reader.Member(name);
        RulePart part = name switch
        {
            "$if" => LoadIf(reader, main),
            "$each" => Expression(main) is { } items ? new EachPart(items, Inner(reader, "do")) : Nothing,
            "$lookup" or "$translate" => LoadLookup(reader, main),
            "$quantity" => LoadQuantity(reader, main),
            "$reference" => LoadReference(main),
            "$samples" => Expression(main) is { } values ? new SamplesPart(values) : Nothing,
            "$product" => new ProductPart([.. Factors(main)]),
            "$interpret" => new InterpretPart(Load(main), Number(reader, "low"), Number(reader, "high")),
            _ => Unknown(main, name),
        };
        reader.RefuseUnknown();
        return part;
    }

    private ConstantPart Unknown(ResourceNode at, string name)
    {
        issues.BadRule(at, $"There is no directive '{name}'.", "Use $if, $each, $lookup, $translate, $quantity, $reference, $samples, $product or $interpret.");
        return Nothing;
    }

    private List<RulePart> Factors(ResourceNode list)
    {
        var factors = new List<RulePart>();
        foreach (var factor in list.IsArray ? list.Items : default)
        {
            factors.Add(Load(factor));
        }

        return factors;
    }

    private RulePart LoadIf(TemplateReader reader, ResourceNode main)
    {
        var condition = RuleCondition.Parse(main.AsText() ?? "", out var problem);
        if (problem is not null)
        {
            issues.BadRule(main, problem, "Write a filter of RFC 9535, for example \"@.status == 'ok'\".");
        }

        var then = Inner(reader, "then");
        var otherwise = reader.Member("else");
        return condition is null ? Nothing : new IfPart(condition, then, otherwise.Exists ? Load(otherwise) : null);
    }

    private RulePart LoadLookup(TemplateReader reader, ResourceNode main)
    {
        var key = Inner(reader, "key");
        if (main.AsString() is { } table && tables.TryGetValue(table, out var rows))
        {
            return new LookupPart(table, rows, key);
        }

        issues.BadRule(main, $"There is no table or ConceptMap '{main.AsText()}'.", "Define it under 'tables' or 'conceptMaps'.");
        return Nothing;
    }

    private QuantityPart LoadQuantity(TemplateReader reader, ResourceNode main)
    {
        var (unit, to) = (reader.Member("unit"), reader.Member("to"));
        foreach (var code in new[] { to, unit }.Where(code => code.AsString() is { } text && !text.Contains('{', StringComparison.Ordinal) && !Ucum.Standard.IsValid(text)))
        {
            issues.BadRule(code, $"'{code.AsString()}' is no UCUM code.", "Use a UCUM code; what people read goes to 'display'.");
        }

        if (!unit.Exists && !to.Exists)
        {
            issues.BadRule(main, "A $quantity needs 'unit', 'to' or both.", "Say in which unit the value comes ('unit'), and in which it is stored ('to').");
        }

        var units = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in reader.Member("units") is { IsObject: true } table ? table.Children : default)
        {
            units[row.Name] = row.AsText() ?? "";
        }

        var sentinels = new Dictionary<string, JmesValue>(StringComparer.Ordinal);
        foreach (var row in reader.Member("sentinels") is { IsObject: true } table ? table.Children : default)
        {
            sentinels[row.Name] = InterpretPart.Coded(AbsenceSystem, row.AsText() ?? "unknown", null);
        }

        var digits = Number(reader, "digits");
        var (low, high) = (Number(reader, "low"), Number(reader, "high"));
        var range = low is null && high is null ? null : new NormalRange(low, high);
        var options = new QuantityOptions(to.AsString() ?? "", digits is { } places ? (int)Math.Clamp(places, 0, 15) : null, reader.Text("display"), units, sentinels, range);
        return new QuantityPart(Load(main), unit.Exists ? Load(unit) : Nothing, options);
    }

    private RulePart LoadReference(ResourceNode main)
    {
        if (main.AsString() is not { } target)
        {
            issues.WrongKind(main, "$reference", "a text");
            return Nothing;
        }

        if (target is not ("patient" or "device" or "encounter"))
        {
            references.Add((target, main));
        }

        return new ReferencePart(target);
    }

    private RulePart Inner(TemplateReader reader, string name) => reader.Required(name) is { Exists: true } member ? Load(member) : Nothing;

    private decimal? Number(TemplateReader reader, string name)
    {
        var member = reader.Member(name);
        if (!member.Exists)
        {
            return null;
        }

        if (decimal.TryParse(member.AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        issues.BadValue(member, name, member.AsText(), "a number");
        return null;
    }

    private RuleExpression? Expression(ResourceNode node) => node.AsString() is { } text ? Expression(node, text.TrimStart('{').TrimEnd('}')) : null;

    private RuleExpression? Expression(ResourceNode at, string text)
    {
        var expression = RuleExpression.Parse(text, out var problem);
        if (problem is not null)
        {
            issues.BadRule(at, problem, "Correct the expression.");
        }

        return expression;
    }

    private RulePart LoadText(ResourceNode node)
    {
        var text = node.AsString()!;
        if (!text.Contains('{', StringComparison.Ordinal) && !text.Contains('}', StringComparison.Ordinal))
        {
            return new ConstantPart(JmesValue.Of(node));
        }

        var pieces = new List<(string Text, RuleExpression? Expression)>();
        var constant = new System.Text.StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] is '{' or '}' && at + 1 < text.Length && text[at + 1] == text[at])
            {
                constant.Append(text[at]);
                at += 2;
            }
            else if (text[at] != '{')
            {
                constant.Append(text[at++]);
            }
            else if (End(text, at) is var end && end > at)
            {
                LoadPiece(node, text[(at + 1)..end], constant, pieces);
                at = end + 1;
            }
            else
            {
                issues.BadRule(node, "A '}' is missing.", "Close the expression; a brace that is meant as such is written twice.");
                return Nothing;
            }
        }

        return PartOf(pieces, constant.ToString());
    }

    private void LoadPiece(ResourceNode node, string inside, System.Text.StringBuilder constant, List<(string Text, RuleExpression? Expression)> pieces)
    {
        if (inside.StartsWith('#'))
        {
            constant.Append(Constant(node, inside[1..]));
            return;
        }

        pieces.Add((constant.ToString(), Expression(node, inside)));
        constant.Clear();
    }

    // An expression alone keeps its type; a text without one is what it is.
    private static RulePart PartOf(List<(string Text, RuleExpression? Expression)> pieces, string rest)
    {
        if (pieces.Count == 0)
        {
            return new ConstantPart(JmesValue.Of(rest));
        }

        return pieces is [("", { } only)] && rest.Length == 0 ? new ExpressionPart(only) : new TextPart([.. pieces, (rest, null)]);
    }

    private string Constant(ResourceNode at, string name)
    {
        if (constants.TryGetValue(name, out var value))
        {
            return value;
        }

        issues.BadRule(at, $"There is no constant '{name}'.", "Define it under 'constants'.");
        return "";
    }

    // The brace that closes this one; braces inside (JMESPath's objects) and in quotes count for nothing.
    private static int End(string text, int open)
    {
        var depth = 0;
        var quote = '\0';
        for (var at = open; at < text.Length; at++)
        {
            var c = text[at];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
            }
            else if (c is '\'' or '"' or '`')
            {
                quote = c;
            }
            else if (c is '{' or '}')
            {
                depth += c == '{' ? 1 : -1;
                if (depth == 0)
                {
                    return at;
                }
            }
        }

        return -1;
    }
}
