using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Parses one parameter's alternatives by its type. Escapes: <c>\,</c> <c>\|</c> <c>\$</c> <c>\\</c> (FHIR R4 §3.1.1.4.4).</summary>
internal static class CriterionParser
{
    public static Outcome<SearchCriterion> Parse(SearchParameter parameter, string? modifier, string value)
    {
        if (modifier == "missing")
        {
            return value is "true" or "false"
                ? new SearchCriterion.Missing(parameter, value == "true")
                : SearchIssues.BadValue(parameter.Code, value, "true or false");
        }

        var alternatives = Split(value, ',');
        if (alternatives.Count > SearchLimits.MaxAlternatives)
        {
            return SearchIssues.TooMany($"alternatives in '{parameter.Code}'", SearchLimits.MaxAlternatives);
        }

        if (alternatives.Exists(string.IsNullOrEmpty))
        {
            return SearchIssues.BadValue(parameter.Code, value, "a value that is not empty");
        }

        return parameter.Type switch
        {
            _ when parameter.Code == "_id" => Plain(parameter, modifier, () => new SearchCriterion.Ids(parameter, [.. alternatives.Select(Unescape)])),
            SearchParameterType.Token => ParseTokens(parameter, modifier, alternatives),
            SearchParameterType.Date => ParseDates(parameter, modifier, alternatives),
            SearchParameterType.Reference => ParseReferences(parameter, modifier, alternatives),
            SearchParameterType.String => ParseStrings(parameter, modifier, alternatives),
            SearchParameterType.Uri => Plain(parameter, modifier, () => new SearchCriterion.Uris(parameter, [.. alternatives.Select(Unescape)])),
            _ => SearchIssues.NotIndexed(parameter.Code),
        };
    }

    private static Outcome<SearchCriterion> Plain(SearchParameter parameter, string? modifier, Func<SearchCriterion> criterion) =>
        modifier is null ? criterion() : SearchIssues.UnknownModifier(parameter.Code, modifier);

    private static Outcome<SearchCriterion> ParseTokens(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        if (modifier is not (null or "not"))
        {
            return SearchIssues.UnknownModifier(parameter.Code, modifier);
        }

        var tokens = new List<TokenMatch>(alternatives.Count);
        foreach (var alternative in alternatives)
        {
            var parts = Split(alternative, '|');
            var token = parts switch
            {
                [var code] => new TokenMatch(null, Unescape(code)),
                [var system, var code] when system.Length + code.Length > 0 => new TokenMatch(Unescape(system), code.Length == 0 ? null : Unescape(code)),
                _ => default,
            };
            if (token == default)
            {
                return SearchIssues.BadValue(parameter.Code, alternative, "code, system|code, |code or system|");
            }

            tokens.Add(token);
        }

        return new SearchCriterion.Tokens(parameter, tokens, modifier == "not");
    }

    private static Outcome<SearchCriterion> ParseDates(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        if (modifier is not null)
        {
            return SearchIssues.UnknownModifier(parameter.Code, modifier);
        }

        var dates = new List<DateMatch>(alternatives.Count);
        foreach (var alternative in alternatives)
        {
            var (prefix, text) = SplitPrefix(Unescape(alternative));
            if (!FhirDate.TryParseInterval(text, out var start, out var end))
            {
                return SearchIssues.BadValue(parameter.Code, alternative, "a date such as 2026-11-21 or 2026-11-21T10:30:00Z, with an optional prefix eq ne gt lt ge le sa eb ap ('+' must be sent as %2B)");
            }

            dates.Add(new DateMatch(prefix, start, end));
        }

        return new SearchCriterion.Dates(parameter, dates);
    }

    private static Outcome<SearchCriterion> ParseReferences(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        if (modifier is not null && !IsTarget(parameter, modifier))
        {
            return SearchIssues.UnknownModifier(parameter.Code, modifier);
        }

        var references = new List<ReferenceMatch>(alternatives.Count);
        foreach (var alternative in alternatives)
        {
            var text = Unescape(alternative);
            var isUrl = text.Contains("://", StringComparison.Ordinal) || text.StartsWith("urn:", StringComparison.Ordinal);
            var parts = text.Split('/');
            var reference = (isUrl, parts) switch
            {
                (true, _) => new ReferenceMatch(null, null, text),
                (_, [var id]) => new ReferenceMatch(modifier ?? SingleTarget(parameter), id, null),
                (_, [var type, var id]) when modifier is null || modifier == type => new ReferenceMatch(type, id, null),
                _ => default,
            };
            if (reference == default)
            {
                return SearchIssues.BadValue(parameter.Code, alternative, "an id, Type/id, or an absolute URL");
            }

            references.Add(reference);
        }

        return new SearchCriterion.References(parameter, references);
    }

    private static Outcome<SearchCriterion> ParseStrings(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        StringMatchMode? mode = modifier switch
        {
            null => StringMatchMode.StartsWith,
            "contains" => StringMatchMode.Contains,
            "exact" => StringMatchMode.Exact,
            _ => null,
        };
        return mode is { } known
            ? new SearchCriterion.Strings(parameter, [.. alternatives.Select(Unescape)], known)
            : SearchIssues.UnknownModifier(parameter.Code, modifier!);
    }

    // A chain (subject:Patient.birthdate) is no type, and must not pass for one that finds nothing.
    private static bool IsTarget(SearchParameter parameter, string type) =>
        type.Length > 0 && char.IsAsciiLetterUpper(type[0]) && type.All(char.IsAsciiLetter)
        && (parameter.Targets.Count == 0 || parameter.Targets.Contains("Resource", StringComparer.Ordinal) || parameter.Targets.Contains(type, StringComparer.Ordinal));

    private static string? SingleTarget(SearchParameter parameter) =>
        parameter.Code == "patient" ? "Patient" : parameter.Targets is [var only] ? only : null;

    private static (SearchPrefix Prefix, string Remainder) SplitPrefix(string text)
    {
        SearchPrefix? prefix = text.Length < 3 || char.IsAsciiDigit(text[0]) ? null : text[..2] switch
        {
            "eq" => SearchPrefix.Equal,
            "ne" => SearchPrefix.NotEqual,
            "gt" => SearchPrefix.Greater,
            "lt" => SearchPrefix.Less,
            "ge" => SearchPrefix.GreaterOrEqual,
            "le" => SearchPrefix.LessOrEqual,
            "sa" => SearchPrefix.StartsAfter,
            "eb" => SearchPrefix.EndsBefore,
            "ap" => SearchPrefix.Approximately,
            _ => null,
        };
        return prefix is { } known ? (known, text[2..]) : (SearchPrefix.Equal, text);
    }

    /// <summary>Splits at separators that no backslash precedes; the parts keep their escapes.</summary>
    private static List<string> Split(string text, char separator)
    {
        var parts = new List<string>();
        var start = 0;
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\')
            {
                index++;
            }
            else if (text[index] == separator)
            {
                parts.Add(text[start..index]);
                start = index + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var unescaped = new System.Text.StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\' && index + 1 < text.Length && text[index + 1] is ',' or '|' or '$' or '\\')
            {
                index++;
            }

            unescaped.Append(text[index]);
        }

        return unescaped.ToString();
    }
}
