using System.Text.RegularExpressions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>N1 §5.6. An empty input or argument gives an empty result.</summary>
internal static class StringFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        Of("indexOf", 1, (_, text, arguments) => FhirPathItem.Integer(text.IndexOf(arguments[0], StringComparison.Ordinal))),
        Of("lastIndexOf", 1, (_, text, arguments) => FhirPathItem.Integer(text.LastIndexOf(arguments[0], StringComparison.Ordinal))),
        new("substring", 1, 2, Substring),
        Of("startsWith", 1, (_, text, arguments) => FhirPathItem.Boolean(text.StartsWith(arguments[0], StringComparison.Ordinal))),
        Of("endsWith", 1, (_, text, arguments) => FhirPathItem.Boolean(text.EndsWith(arguments[0], StringComparison.Ordinal))),
        Of("contains", 1, (_, text, arguments) => FhirPathItem.Boolean(text.Contains(arguments[0], StringComparison.Ordinal))),
        Of("upper", 0, (_, text, _) => FhirPathItem.String(text.ToUpperInvariant())),
        Of("lower", 0, (_, text, _) => FhirPathItem.String(text.ToLowerInvariant())),
        Of("trim", 0, (_, text, _) => FhirPathItem.String(text.Trim())),
        Of("length", 0, (_, text, _) => FhirPathItem.Integer(text.Length)),
        Of("replace", 2, (run, text, arguments) => FhirPathItem.String(Replace(run, text, arguments[0], arguments[1]))),
        Of("matches", 1, (run, text, arguments) => FhirPathItem.Boolean(Match(run, text, arguments[0]))),
        Of("matchesFull", 1, (run, text, arguments) => FhirPathItem.Boolean(Match(run, text, $"^(?:{arguments[0]})$"))),
        Of("replaceMatches", 2, (run, text, arguments) => FhirPathItem.String(ReplaceMatches(run, text, arguments[0], arguments[1]))),
        new("toChars", 0, 0, ToChars),
        new("split", 1, 1, Split),
        new("join", 0, 1, Join),
    ];

    public delegate FhirPathItem? TextBody(Evaluation run, string text, string[] arguments);

    /// <summary>A function from one string and string arguments.</summary>
    public static Function Of(string name, int arguments, TextBody body) => new(name, arguments, arguments, (Evaluation run, in Scope scope, ItemList input, PathNode[] nodes, ItemList output) =>
    {
        if (Input(input, name) is not { } text)
        {
            return;
        }

        var texts = nodes.Length == 0 ? [] : new string[nodes.Length];
        for (var index = 0; index < nodes.Length; index++)
        {
            if (Text(nodes[index].Single(run, scope, name), name) is not { } argument)
            {
                return;
            }

            texts[index] = argument;
        }

        if (body(run, text, texts) is { } result)
        {
            output.Add(result);
        }
    });

    public static string? Input(ItemList input, string function) => input.Count switch
    {
        0 => null,
        1 => Text(input[0], function),
        _ => throw FhirPathIssues.NotSingle(function + "()"),
    };

    private static string? Text(in FhirPathItem item, string function)
    {
        if (item.Kind == FhirPathKind.Nothing || (item.IsElement && !item.Node.Exists))
        {
            return null;
        }

        // Dates are read as text too: R4's constraints match them against regular expressions.
        var system = item.ToSystem();
        return system.Kind switch
        {
            FhirPathKind.String => system.StringValue,
            FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time => item.AsText(),
            FhirPathKind.Integer when item.IsElement => item.AsText(),
            _ => throw FhirPathIssues.WrongType($"{function}() takes strings, not {Equality.Describe(system)}."),
        };
    }

    private static void Substring(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (Input(input, "substring") is not { } text || FilteringFunctions.Integer(run, scope, arguments[0], "substring") is not { } start || start < 0 || start >= text.Length)
        {
            return;
        }

        var length = arguments.Length > 1 ? FilteringFunctions.Integer(run, scope, arguments[1], "substring") ?? text.Length : text.Length;
        output.Add(FhirPathItem.String(text.Substring(start, Math.Clamp(length, 0, text.Length - start))));
    }

    private static string Replace(Evaluation run, string text, string pattern, string by)
    {
        var places = pattern.Length > 0 ? text.AsSpan().Count(pattern) : text.Length + 1L;
        run.CheckText(text.Length + (places * by.Length));
        return pattern.Length > 0 ? text.Replace(pattern, by, StringComparison.Ordinal) : by + string.Concat(text.Select(letter => letter + by));
    }

    private static bool Match(Evaluation run, string text, string pattern) => Guard(run, pattern, regex => regex.IsMatch(text));

    private static string ReplaceMatches(Evaluation run, string text, string pattern, string by) =>
        pattern.Length == 0 ? text : Guard(run, pattern, regex =>
        {
            // A replacement may name groups ($1), each at most the text itself.
            run.CheckText(regex.Count(text) * (by.Length + (by.Contains('$', StringComparison.Ordinal) ? (long)text.Length : 0)));
            return regex.Replace(text, by);
        });

    private static TResult Guard<TResult>(Evaluation run, string pattern, Func<Regex, TResult> use)
    {
        try
        {
            return use(run.Regex(pattern));
        }
        catch (RegexMatchTimeoutException)
        {
            throw FhirPathIssues.TooCostly("a regular expression took too long.");
        }
        catch (ArgumentException)
        {
            throw FhirPathIssues.WrongType("a regular expression is not valid.");
        }
    }

    private static void ToChars(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        foreach (var letter in Input(input, "toChars") ?? "")
        {
            output.Add(FhirPathItem.String(letter.ToString()));
        }
    }

    private static void Split(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (Input(input, "split") is { } text && Text(arguments[0].Single(run, scope, "split"), "split") is { } separator)
        {
            foreach (var part in text.Split(separator))
            {
                output.Add(FhirPathItem.String(part));
            }
        }
    }

    private static void Join(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var separator = arguments.Length > 0 ? Text(arguments[0].Single(run, scope, "join"), "join") ?? "" : "";
        var parts = new List<string>(input.Count);
        foreach (ref readonly var item in input.Span)
        {
            if (Text(item, "join") is { } text)
            {
                parts.Add(text);
            }
        }

        if (parts.Count > 0)
        {
            run.CheckText(parts.Sum(part => (long)part.Length + separator.Length));
            output.Add(FhirPathItem.String(string.Join(separator, parts)));
        }
    }
}
