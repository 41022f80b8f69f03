using System.Text.RegularExpressions;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>What an expression sees while it runs: <c>$this</c>, <c>$index</c> and <c>$total</c>.</summary>
internal readonly struct Scope(FhirPathItem item, int index = -1, ItemList? total = null)
{
    public FhirPathItem This { get; } = item;

    public int Index { get; } = index;

    public ItemList? Total { get; } = total;

    public Scope On(in FhirPathItem item, int index) => new(item, index, Total);
}

/// <summary>One run of an expression: its costs, its clock, its buffers.</summary>
internal sealed class Evaluation(FhirPathEnvironment environment, FhirDefinitions definitions)
{
    // Patterns are mostly literals of constraints; R4 has 12 different ones.
    private const int MaxRegexes = 64;

    // As long as the longest FHIR string may be (R4 §2.24.0.1: 1 MB).
    private const int MaxTextLength = 1024 * 1024;

    // Larger buffers are not kept between runs.
    private const int MaxKeptBuffer = 1024;

    private readonly Stack<ItemList> _spare = new();
    private readonly Dictionary<string, Regex> _regexes = new(StringComparer.Ordinal);
    private int _steps;
    private DateTimeOffset? _now;

    public FhirPathEnvironment Environment { get; } = environment;

    public FhirDefinitions Definitions { get; } = definitions;

    public FhirPathItem Resource { get; private set; }

    public FhirPathItem RootResource { get; private set; }

    public FhirPathItem Focus { get; private set; }

    /// <summary>What defineVariable() has made so far, the last one first.</summary>
    public DefinedVariable? Variables { get; set; }

    /// <summary>The same moment for the whole run (N1 §5.9: now() is deterministic within an expression).</summary>
    public DateTimeOffset Now => _now ??= Environment.Clock.GetLocalNow();

    public void Start(FhirPathItem focus)
    {
        _steps = 0;
        _now = null;
        Variables = null;
        Focus = focus;
        Resource = Environment.Resource.Kind == FhirPathKind.Nothing ? focus : Environment.Resource;
        RootResource = Environment.RootResource.Kind == FhirPathKind.Nothing ? Resource : Environment.RootResource;
    }

    public void Step(int count = 1)
    {
        _steps += count;
        if (_steps > Environment.Limits.MaxSteps || _steps < 0)
        {
            throw FhirPathIssues.TooCostly($"the evaluation needs more than {Environment.Limits.MaxSteps} steps.");
        }
    }

    public void CheckSize(ItemList items)
    {
        Step(items.Count);
        if (items.Count > Environment.Limits.MaxItems)
        {
            throw FhirPathIssues.TooCostly($"a collection has more than {Environment.Limits.MaxItems} items.");
        }
    }

    /// <summary>Called before a string of that length is built: doubling one thirty times would fill the memory.</summary>
    public void CheckText(long length)
    {
        if (length > MaxTextLength)
        {
            throw FhirPathIssues.TooCostly($"a string has more than {MaxTextLength} characters.");
        }
    }

    /// <summary>A regular expression of N1 §5.6.11: single-line mode, with a time limit. Kept for the next runs, since one constraint meets many elements.</summary>
    public Regex Regex(string pattern)
    {
        if (!_regexes.TryGetValue(pattern, out var regex))
        {
            if (_regexes.Count >= MaxRegexes)
            {
                _regexes.Clear();
            }

            _regexes.Add(pattern, regex = new Regex(pattern, RegexOptions.Singleline | RegexOptions.CultureInvariant, Environment.Limits.RegexTimeout));
        }

        return regex;
    }

    public ItemList Rent() => _spare.Count > 0 ? _spare.Pop() : new ItemList();

    public void Return(ItemList items)
    {
        if (items.Count <= MaxKeptBuffer)
        {
            items.Clear();
            _spare.Push(items);
        }
    }
}
