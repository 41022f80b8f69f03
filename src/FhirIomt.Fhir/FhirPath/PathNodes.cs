using System.Text;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>A compiled piece of an expression: appends what it selects to <c>output</c>. Immutable and used by many threads.</summary>
internal abstract class PathNode
{
    public abstract void Evaluate(Evaluation run, in Scope scope, ItemList output);

    /// <summary>Whether anything is selected; overridden where that is cheaper than selecting.</summary>
    public virtual bool Any(Evaluation run, in Scope scope)
    {
        var items = run.Rent();
        Evaluate(run, scope, items);
        var any = items.Count > 0;
        run.Return(items);
        return any;
    }

    /// <summary>The one item, or nothing; several are an error (N1 §4.5).</summary>
    public FhirPathItem Single(Evaluation run, in Scope scope, string what)
    {
        var items = run.Rent();
        Evaluate(run, scope, items);
        var item = items.Count switch
        {
            0 => default,
            1 => items[0],
            _ => throw FhirPathIssues.NotSingle(what),
        };
        run.Return(items);
        return item;
    }

    /// <summary>The types of what is selected, as far as they can be told without data; what cannot be meant is reported.</summary>
    public virtual StaticTypes Infer(StaticCheck check, StaticTypes focus) => StaticTypes.Unknown;

    /// <summary>Three-valued logic: a single item that is no boolean counts as true (N1 §4.5).</summary>
    public virtual bool? Logic(Evaluation run, in Scope scope)
    {
        var item = Single(run, scope, "a logical operator");
        return item.Kind == FhirPathKind.Nothing ? null : item.AsBoolean() ?? true;
    }
}

internal sealed class EmptyNode : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
    }
}

internal sealed class LiteralNode(FhirPathItem value) : PathNode
{
    public FhirPathItem Value { get; } = value;

    /// <summary>UTF-8 of a string literal, to compare with elements without making strings.</summary>
    public byte[]? Utf8 { get; } = value.Kind == FhirPathKind.String ? Encoding.UTF8.GetBytes(value.StringValue) : null;

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => output.Add(Value);
}

internal sealed class ThisNode : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus) => focus;

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        if (scope.This.Kind != FhirPathKind.Nothing)
        {
            output.Add(scope.This);
        }
    }
}

internal sealed class ContextIndexNode : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        if (scope.Index >= 0)
        {
            output.Add(FhirPathItem.Integer(scope.Index));
        }
    }
}

internal sealed class TotalNode : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        if (scope.Total is not null)
        {
            output.AddRange(scope.Total);
        }
    }
}

/// <summary>A type name at the start of a path.</summary>
internal sealed class RootTypeNode(FhirType type, ChildNode otherwise) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        if (focus.Known is { } known && !known.Any(one => one.Is(type) || type.Is(one)))
        {
            check.WrongContext(focus, type);
        }

        return StaticTypes.Of(type);
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        if (scope.This.Type is { } actual && actual.Is(type))
        {
            output.Add(scope.This);
        }
        else
        {
            otherwise.Evaluate(run, scope, output);
        }
    }
}

/// <summary>One step down a path.</summary>
internal sealed class ChildNode(PathNode source, string name) : PathNode
{
    private ElementStep? _last;

    public override StaticTypes Infer(StaticCheck check, StaticTypes focus) => check.Child(source.Infer(check, focus), name);

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        run.Step();
        if (source is ThisNode)
        {
            Step(run, scope.This, output);
            return;
        }

        var items = run.Rent();
        source.Evaluate(run, scope, items);
        foreach (ref readonly var item in items.Span)
        {
            Step(run, item, output);
        }

        run.Return(items);
    }

    private void Step(Evaluation run, in FhirPathItem item, ItemList output)
    {
        if (item.Kind == FhirPathKind.TypeInfo)
        {
            output.Add(FhirPathItem.String(name == "namespace" ? item.TypeInfo.Namespace : item.TypeInfo.Name));
        }

        if (item.Type is not { } type)
        {
            return;
        }

        // Nearly every step of an expression meets one type only, so the last one looked up is kept.
        var step = _last;
        if (step is null || !ReferenceEquals(step.Type, type))
        {
            _last = step = new ElementStep(type, name);
        }

        step.Select(run, item, output);
    }
}

/// <summary><c>%name</c> (N1 §10, FHIR R4 §2.9.4).</summary>
internal sealed class VariableNode(string name) : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        if (run.Variables is { } last && DefinedVariable.Find(last, name) is { } defined)
        {
            Add(defined.Items, output);
            return;
        }

        if (run.Environment.Variables is { } variables && variables.TryGetValue(name, out var given))
        {
            Add(given, output);
            return;
        }

        var item = WellKnown(run);
        if (item.Kind != FhirPathKind.Nothing)
        {
            output.Add(item);
        }
    }

    private static void Add(IReadOnlyList<FhirPathItem> items, ItemList output)
    {
        foreach (var item in items)
        {
            output.Add(item);
        }
    }

    private FhirPathItem WellKnown(Evaluation run) => name switch
    {
        "resource" => run.Resource,
        "rootResource" => run.RootResource,
        "context" => run.Focus,
        "ucum" => FhirPathItem.String("http://unitsofmeasure.org"),
        "sct" => FhirPathItem.String("http://snomed.info/sct"),
        "loinc" => FhirPathItem.String("http://loinc.org"),
        _ when name.StartsWith("vs-", StringComparison.Ordinal) => FhirPathItem.String("http://hl7.org/fhir/ValueSet/" + name[3..]),
        _ when name.StartsWith("ext-", StringComparison.Ordinal) => FhirPathItem.String("http://hl7.org/fhir/StructureDefinition/" + name[4..]),
        _ => throw FhirPathIssues.UnknownVariable(name),
    };
}

internal sealed class IndexNode(PathNode source, PathNode index) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        index.Infer(check, focus);
        var types = source.Infer(check, focus);
        check.NeedsOrder(types, "an index");
        return types;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var at = index.Single(run, scope, "an index").ToSystem();
        if (at.Kind == FhirPathKind.Nothing)
        {
            return;
        }

        if (at.Kind != FhirPathKind.Integer)
        {
            throw FhirPathIssues.WrongType("an index must be an integer.");
        }

        var items = run.Rent();
        source.Evaluate(run, scope, items);
        if (at.IntegerValue >= 0 && at.IntegerValue < items.Count)
        {
            output.Add(items[at.IntegerValue]);
        }

        run.Return(items);
    }
}

/// <summary>A type named in is, as and ofType; both null for a System type that does not exist.</summary>
internal sealed record TypeSpecifier(FhirType? Fhir, FhirPathKind? System)
{
    public bool Matches(in FhirPathItem item, bool exact)
    {
        if (item.Type is not { } type)
        {
            return System == item.Kind;
        }

        // A code is a string, but ofType(string) selects strings only.
        return Fhir is not null && (ReferenceEquals(type, Fhir) || (!(exact && Fhir.Kind == FhirTypeKind.Primitive) && type.Is(Fhir)));
    }
}

internal sealed class IsNode(PathNode source, TypeSpecifier type) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        source.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var item = source.Single(run, scope, "is");
        if (item.Kind != FhirPathKind.Nothing)
        {
            output.Add(FhirPathItem.Boolean(type.Matches(item, exact: false)));
        }
    }
}

/// <summary>as and ofType. R4's own constraints and search parameters use <c>as</c> on collections, so it filters as ofType does.</summary>
internal sealed class OfTypeNode(PathNode source, TypeSpecifier type, bool exact) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        var types = source.Infer(check, focus);
        return type.Fhir is { IsAbstract: false } fhir ? new StaticTypes([fhir], types.IsUnordered) : new StaticTypes(Known: null, types.IsUnordered);
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var items = run.Rent();
        source.Evaluate(run, scope, items);
        foreach (ref readonly var item in items.Span)
        {
            if (type.Matches(item, exact))
            {
                output.Add(item);
            }
        }

        run.Return(items);
    }
}

/// <summary>A sort key in descending order; elsewhere it is the key itself.</summary>
internal sealed class DescendingNode(PathNode key) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus) => key.Infer(check, focus);

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => key.Evaluate(run, scope, output);
}
