using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Loading;

/// <summary>Reads expressions: a text, or in CalculatedContent also <c>{"value":…,"language":…}</c>.</summary>
internal sealed class ExpressionReader
{
    private readonly TemplateReader _reader;
    private readonly bool _calculated;
    private readonly ResourceNode _defaultLanguage;

    public ExpressionReader(TemplateReader reader, bool calculated)
        : this(reader, calculated, calculated ? reader.Member("defaultExpressionLanguage") : default)
    {
    }

    private ExpressionReader(TemplateReader reader, bool calculated, ResourceNode defaultLanguage)
    {
        _reader = reader;
        _calculated = calculated;
        _defaultLanguage = defaultLanguage;
    }

    /// <summary>The same rules for an object inside the template.</summary>
    public ExpressionReader In(TemplateReader inner) => new(inner, _calculated, _defaultLanguage);

    public JsonPathExpression? Required(string name) => Compile(name, _reader.Required(name));

    public JsonPathExpression? Optional(string name) => Compile(name, _reader.Member(name));

    private JsonPathExpression? Compile(string name, ResourceNode member)
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

    private JsonPathExpression? CompileText(string name, ResourceNode text, ResourceNode language)
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
            issues.NotYet(text, "The expression language JmesPath");
            return null;
        }

        if (!languageName.Equals("JsonPath", StringComparison.OrdinalIgnoreCase))
        {
            issues.BadValue(language, "language", languageName, "JsonPath or JmesPath");
            return null;
        }

        var compiled = JsonPathExpression.Parse(path, out var error);
        if (error is not null)
        {
            issues.BadPath(text, path, error.Message, error.Position);
        }

        return compiled;
    }
}
