using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Loading;

/// <summary>Reads expressions: a text, or in CalculatedContent also <c>{"value":…,"language":…}</c>.</summary>
internal sealed class ExpressionReader
{
    private readonly TemplateReader _reader;
    private readonly bool _calculated;
    private readonly ConnectorDefects _defects;
    private readonly ResourceNode _defaultLanguage;

    public ExpressionReader(TemplateReader reader, bool calculated, ConnectorDefects defects)
        : this(reader, calculated, defects, calculated ? reader.Member("defaultExpressionLanguage") : default)
    {
    }

    private ExpressionReader(TemplateReader reader, bool calculated, ConnectorDefects defects, ResourceNode defaultLanguage)
    {
        _reader = reader;
        _calculated = calculated;
        _defects = defects;
        _defaultLanguage = defaultLanguage;
    }

    /// <summary>The same rules for an object inside the template.</summary>
    public ExpressionReader In(TemplateReader inner) => new(inner, _calculated, _defects, _defaultLanguage);

    public MappingExpression? Required(string name) => Compile(name, _reader.Required(name));

    public MappingExpression? Optional(string name) => Compile(name, _reader.Member(name));

    private MappingExpression? Compile(string name, ResourceNode member)
    {
        if (!member.Exists)
        {
            return null;
        }

        if (!member.IsObject || !_calculated)
        {
            return CompileText(name, member, _defaultLanguage);
        }

        var inner = new TemplateReader(member, name, _reader.Issues);
        var value = inner.Required("value");
        var language = inner.Member("language");
        inner.RefuseUnknown();
        return value.Exists ? CompileText(name, value, language.Exists ? language : _defaultLanguage) : null;
    }

    private MappingExpression? CompileText(string name, ResourceNode text, ResourceNode language)
    {
        var issues = _reader.Issues;
        if (text.AsString() is not { } path)
        {
            issues.WrongKind(text, name, "a text");
            return null;
        }

        var languageName = language.AsText() ?? "JsonPath";
        if (languageName.Equals("JmesPath", StringComparison.OrdinalIgnoreCase))
        {
            var jmesPath = JmesPathExpression.Parse(path, out var refusal, _defects.HasFlag(ConnectorDefects.IntegerArithmetic));
            return refusal is null ? Placed(jmesPath!, text) : Broken(text, path, "JMESPath", refusal.Message, refusal.Position, lateAllowed: false);
        }

        if (!languageName.Equals("JsonPath", StringComparison.OrdinalIgnoreCase))
        {
            issues.BadValue(language, "language", languageName, "JsonPath or JmesPath");
            return null;
        }

        var compiled = JsonPathExpression.Parse(path, out var error);
        return error is null ? Placed(compiled!, text) : Broken(text, path, "JSONPath", error.Message, error.Position, lateAllowed: true);
    }

    private static MappingExpression Placed(MappingExpression expression, ResourceNode text)
    {
        expression.Position = text.Position;
        return expression;
    }

    private MappingExpression? Broken(ResourceNode text, string path, string language, string message, int position, bool lateAllowed)
    {
        if (lateAllowed && _defects.HasFlag(ConnectorDefects.ErrorsAtRunTime))
        {
            return Placed(new BrokenExpression(path, message), text);
        }

        _reader.Issues.BadPath(text, language, path, message, position);
        return null;
    }
}
