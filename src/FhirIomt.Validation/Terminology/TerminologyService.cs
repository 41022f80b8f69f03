using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Terminology.Checking;
using FhirIomt.Validation.Terminology.CodeSystems;
using FhirIomt.Validation.Terminology.ValueSets;

namespace FhirIomt.Validation.Terminology;

/// <summary>
/// Terminology over a set of definitions: membership and code checks for the validator and FHIRPath <c>memberOf</c>. Value sets are compiled when first
/// asked for and then shared; safe for many threads. A new set of definitions takes a new object.
/// </summary>
public sealed class TerminologyService
{
    private readonly ConcurrentDictionary<string, CompiledValueSet?> _byCanonical = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<ValueSetDefinition, CompiledValueSet> _compiled = [];

    /// <param name="definitions">Code systems, value sets, supplements and concept maps.</param>
    /// <param name="limits">How far work goes; <see cref="TerminologyLimits.Default"/> when null.</param>
    /// <param name="isUcum">UCUM's grammar; without it units are not checked.</param>
    public TerminologyService(IDefinitionSource definitions, TerminologyLimits? limits = null, Func<string, bool>? isUcum = null) =>
        Store = new TerminologyStore(definitions, limits ?? TerminologyLimits.Default, new ExternalSystem(isUcum));

    internal TerminologyStore Store { get; }

    /// <summary>
    /// Whether a code is in a value set. On a compiled set two hash lookups without allocation; the first question about a set compiles it.
    /// </summary>
    /// <param name="valueSet">Canonical, with or without <c>|version</c>.</param>
    /// <param name="system">The code's system.</param>
    /// <param name="code">The code.</param>
    /// <param name="version">The version of the system that the code names, if any.</param>
    /// <param name="from">The definition that refers to the value set: its package decides between versions.</param>
    /// <returns>Null when it cannot be said: the value set, or the content of the code system, is not here.</returns>
    public bool? IsMember(string valueSet, string system, string code, string? version = null, DefinitionResource? from = null) =>
        version is null && Compiled(valueSet, from)?.Contains(system, code) is { } known
            ? known
            : Validate(valueSet, system, code, version, from: from).IsMember;

    /// <summary>As <see cref="IsMember(string, string, string, string?, DefinitionResource?)"/>, without making strings.</summary>
    public bool? IsMember(string valueSet, ReadOnlySpan<char> system, ReadOnlySpan<char> code, DefinitionResource? from = null) =>
        Compiled(valueSet, from)?.Contains(system, code) ?? Validate(valueSet, system.ToString(), code.ToString(), from: from).IsMember;

    /// <summary>
    /// The codes of a value set as a list; null when the set is unknown or cannot be listed in full. Letter case counts in it, also for code systems
    /// that do not mind: what it does not contain is to be asked again with <see cref="IsMember(string, string, string, string?, DefinitionResource?)"/>.
    /// </summary>
    public CodeSet? TryList(string valueSet, DefinitionResource? from = null) => Compiled(valueSet, from)?.Listed;

    /// <summary>Whether the value set is known at all.</summary>
    public bool Knows(string valueSet, DefinitionResource? from = null) => Store.ValueSet(Canonical.Parse(valueSet), from) is not null;

    /// <summary>Checks a code in all detail.</summary>
    /// <param name="valueSet">Canonical of the value set; null to ask the code system alone.</param>
    /// <param name="system">The code's system; null when it is to be inferred from the value set (elements of type <c>code</c>).</param>
    /// <param name="code">The code.</param>
    /// <param name="version">The version of the system that the code names.</param>
    /// <param name="display">A display to compare.</param>
    /// <param name="languages">Languages for the display, as in Accept-Language; null accepts any.</param>
    /// <param name="from">The definition that refers to the value set: its package decides between versions.</param>
    public CodeValidation Validate(string? valueSet, string? system, string code, string? version = null, string? display = null, string? languages = null, DefinitionResource? from = null)
    {
        var set = valueSet is null ? null : Store.ValueSet(Canonical.Parse(valueSet), from);
        if (valueSet is not null && set is null)
        {
            return new CodeValidation(CodeStanding.ValueSetNotUsable, null, false, [TxIssues.UnknownValueSet(valueSet).ToIssue()]);
        }

        var settings = new CheckSettings { Languages = languages is null ? null : LanguageRanges.Parse(languages), InferSystem = system is null, AnySystem = true };
        var checker = new CodeChecker(Store, settings);
        if (!checker.UseSupplements(set))
        {
            return new CodeValidation(CodeStanding.ValueSetNotUsable, null, false, [checker.Refusal!.ToIssue()]);
        }

        var found = checker.Check(set, new CodeQuery(system, version, code, display, ""), isOneOfMany: false);
        return checker.Refusal is { } refusal
            ? new CodeValidation(CodeStanding.ValueSetNotUsable, null, false, [refusal.ToIssue()])
            : new CodeValidation(Standing(checker, found), found.Display, checker.Issues.Any(issue => issue.Code == "IOMT-0270"), [.. checker.Issues.Select(issue => issue.ToIssue())]);
    }

    private CodeStanding Standing(CodeChecker checker, CheckedCode found)
    {
        bool Says(string code) => checker.Issues.Any(issue => issue.Code == code);
        if (found.Finding.Membership == Membership.In)
        {
            return CodeStanding.InSet;
        }

        if (Says("IOMT-0262"))
        {
            return CodeStanding.UnknownCode;
        }

        if (found.Query.System is { } system && found.Finding.Content is null && Store.CodeSystem(system, null) is null && (Says("IOMT-0252") || Says("IOMT-0253")))
        {
            return found.Finding.Membership == Membership.Out ? CodeStanding.NotInSet : ExternalSystem.IsKnown(system) ? CodeStanding.SystemNotLoaded : CodeStanding.UnknownSystem;
        }

        return found.Finding.Membership == Membership.Unknown ? CodeStanding.ValueSetNotUsable
            : Says("IOMT-0266") ? CodeStanding.Inactive
            : CodeStanding.NotInSet;
    }

    private CompiledValueSet? Compiled(string valueSet, DefinitionResource? from)
    {
        if (from is null && _byCanonical.TryGetValue(valueSet, out var known))
        {
            return known;
        }

        var compiled = Store.ValueSet(Canonical.Parse(valueSet), from) is { } found ? _compiled.GetValue(found, set => CompiledValueSet.Compile(Store, set)) : null;
        if (from is null && _byCanonical.Count < Store.Limits.MaxCached)
        {
            _byCanonical.TryAdd(valueSet, compiled);
        }

        return compiled;
    }
}
