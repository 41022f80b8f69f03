using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>What an argument may be.</summary>
[Flags]
internal enum JmesTypes
{
    Any = 0,
    Number = 1,
    String = 2,
    Array = 4,
    Object = 8,
    Expression = 16,
    Numbers = 32,
    Strings = 64,

    /// <summary>A number without fraction that fits in 64 bits.</summary>
    Integer = 128,
}

/// <summary>One call: its arguments, checked, and where it stands.</summary>
internal readonly record struct JmesCall(JmesValue[] Arguments, JmesValue Current, JmesRun Run, string Name)
{
    public JmesValue this[int index] => Arguments[index];

    public JmesValue BadType(string message) => Run.Fail("invalid-type", $"'{Name}': {message}");
}

/// <param name="IsVariadic">The last parameter may be repeated.</param>
internal sealed record JmesFunction(string Name, JmesTypes[] Parameters, Func<JmesCall, JmesValue> Call, bool IsVariadic = false)
{
    public bool Accepts(int index, JmesValue value)
    {
        var types = Parameters[Math.Min(index, Parameters.Length - 1)];
        if (types == JmesTypes.Any)
        {
            return value.Kind != JmesKind.Expression;
        }

        return value.Kind switch
        {
            JmesKind.Number => types.HasFlag(JmesTypes.Number) || (types.HasFlag(JmesTypes.Integer) && value.AsNumber().IsInteger),
            JmesKind.String => types.HasFlag(JmesTypes.String),
            JmesKind.Array => types.HasFlag(JmesTypes.Array)
                || (types.HasFlag(JmesTypes.Numbers) && JmesFunctions.AreAll(value, JmesKind.Number))
                || (types.HasFlag(JmesTypes.Strings) && JmesFunctions.AreAll(value, JmesKind.String)),
            JmesKind.Object => types.HasFlag(JmesTypes.Object),
            JmesKind.Expression => types.HasFlag(JmesTypes.Expression),
            _ => false,
        };
    }

    public string Expected(int index) => Parameters[Math.Min(index, Parameters.Length - 1)].ToString().ToLowerInvariant();
}

/// <summary>The functions of the specification, those that JmesPath.Net adds (items, to_object, zip, let), and the connector's own.</summary>
internal static class JmesFunctions
{
    private const JmesTypes Any = JmesTypes.Any;
    private const JmesTypes Sortable = JmesTypes.Numbers | JmesTypes.Strings;

    public static FrozenDictionary<string, JmesFunction> All { get; } = ((JmesFunction[])
    [
        new("abs", [JmesTypes.Number], call => JmesArithmetic.Abs(call[0].AsNumber())),
        new("avg", [JmesTypes.Numbers], call => call[0].Count == 0 ? JmesValue.Null : JmesArithmetic.Average(call[0])),
        new("ceil", [JmesTypes.Number], call => JmesArithmetic.Ceiling(call[0].AsNumber())),
        new("contains", [JmesTypes.Array | JmesTypes.String, Any], Contains),
        new("ends_with", [JmesTypes.String, JmesTypes.String], call => JmesValue.Of(call[0].AsString().EndsWith(call[1].AsString(), StringComparison.Ordinal))),
        new("floor", [JmesTypes.Number], call => JmesArithmetic.Floor(call[0].AsNumber())),
        new("items", [JmesTypes.Object], Items),
        new("join", [JmesTypes.String, JmesTypes.Strings], call => JmesValue.Of(string.Join(call[0].AsString(), ToArray(call[1]).Select(item => item.AsString())))),
        new("keys", [JmesTypes.Object], Keys),
        new("length", [JmesTypes.String | JmesTypes.Array | JmesTypes.Object], Length),
        new("let", [JmesTypes.Object, JmesTypes.Expression], Let),
        new("map", [JmesTypes.Expression, JmesTypes.Array], call => ListOf(ToArray(call[1]).Select(item => call[0].AsExpression().Evaluate(item, call.Run)))),
        new("max", [Sortable], call => Best(call[0], 1)),
        new("max_by", [JmesTypes.Array, JmesTypes.Expression], call => BestBy(call, 1)),
        new("merge", [JmesTypes.Object], Merge, IsVariadic: true),
        new("min", [Sortable], call => Best(call[0], -1)),
        new("min_by", [JmesTypes.Array, JmesTypes.Expression], call => BestBy(call, -1)),
        new("not_null", [Any], call => call.Arguments.FirstOrDefault(value => !value.IsNull), IsVariadic: true),
        new("reverse", [JmesTypes.String | JmesTypes.Array], Reverse),
        new("sort", [Sortable], call => ListOf(ToArray(call[0]).Order(Comparer<JmesValue>.Create(JmesComparison.Order)))),
        new("sort_by", [JmesTypes.Array, JmesTypes.Expression], SortBy),
        new("starts_with", [JmesTypes.String, JmesTypes.String], call => JmesValue.Of(call[0].AsString().StartsWith(call[1].AsString(), StringComparison.Ordinal))),
        new("sum", [JmesTypes.Numbers], call => JmesArithmetic.Sum(call[0])),
        new("to_array", [Any], call => call[0].Kind == JmesKind.Array ? call[0] : JmesValue.Of(JmesList.Of(call[0]))),
        new("to_number", [Any], ToNumber),
        new("to_object", [JmesTypes.Array], ToObject),
        new("to_string", [Any], call => call[0].Kind == JmesKind.String ? call[0] : JmesValue.Of(Json(call[0]))),
        new("type", [Any], call => JmesValue.Of(NameOf(call[0].Kind))),
        new("values", [JmesTypes.Object], call => ListOf(ToArray(call[0]))),
        new("zip", [JmesTypes.Array], Zip, IsVariadic: true),
        .. ConnectorFunctions.All,
    ]).ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    public static string NameOf(JmesKind kind) => kind.ToString().ToLowerInvariant();

    public static JmesValue[] ToArray(JmesValue container)
    {
        var items = new JmesValue[container.Count];
        var next = 0;
        foreach (var item in container.Items)
        {
            items[next++] = item;
        }

        return items;
    }

    public static bool AreAll(JmesValue array, JmesKind kind)
    {
        foreach (var item in array.Items)
        {
            if (item.Kind != kind)
            {
                return false;
            }
        }

        return true;
    }

    public static string Json(JmesValue value)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            value.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static JmesValue ListOf(IEnumerable<JmesValue> items)
    {
        var list = new JmesList();
        foreach (var item in items)
        {
            list.Add(item);
        }

        return JmesValue.Of(list);
    }

    private static JmesValue Contains(JmesCall call)
    {
        if (call[0].Kind == JmesKind.String)
        {
            return JmesValue.Of(call[1].Kind == JmesKind.String && call[0].AsString().Contains(call[1].AsString(), StringComparison.Ordinal));
        }

        foreach (var item in call[0].Items)
        {
            if (JmesComparison.Same(item, call[1]))
            {
                return JmesValue.True;
            }
        }

        return JmesValue.False;
    }

    private static JmesValue Items(JmesCall call)
    {
        var list = new JmesList(call[0].Count);
        for (var items = call[0].Items; items.MoveNext();)
        {
            list.Add(JmesValue.Of(JmesList.Of(JmesValue.Of(items.Name), items.Current)));
        }

        return JmesValue.Of(list);
    }

    private static JmesValue Keys(JmesCall call)
    {
        var list = new JmesList(call[0].Count);
        for (var items = call[0].Items; items.MoveNext();)
        {
            list.Add(JmesValue.Of(items.Name));
        }

        return JmesValue.Of(list);
    }

    private static JmesValue Length(JmesCall call) =>
        JmesValue.Of(JmesNumber.Of((decimal)(call[0].Kind == JmesKind.String ? call[0].AsString().EnumerateRunes().Count() : call[0].Count)));

    private static JmesValue Let(JmesCall call)
    {
        call.Run.Enter(call[0]);
        var result = call[1].AsExpression().Evaluate(call.Current, call.Run);
        call.Run.Leave();
        return result;
    }

    private static JmesValue Merge(JmesCall call)
    {
        var members = new JmesMembers();
        foreach (var argument in call.Arguments)
        {
            for (var items = argument.Items; items.MoveNext();)
            {
                members.Set(items.Name, items.Current);
            }
        }

        return JmesValue.Of(members);
    }

    private static JmesValue Reverse(JmesCall call) => call[0].Kind == JmesKind.String
        ? JmesValue.Of(string.Concat(call[0].AsString().EnumerateRunes().Reverse().Select(rune => rune.ToString())))
        : ListOf(ToArray(call[0]).AsEnumerable().Reverse());

    private static JmesValue Best(JmesValue array, int direction)
    {
        var best = JmesValue.Null;
        foreach (var item in array.Items)
        {
            best = best.IsNull || Math.Sign(JmesComparison.Order(item, best)) == direction ? item : best;
        }

        return best;
    }

    private static JmesValue BestBy(JmesCall call, int direction)
    {
        var (best, bestKey) = (JmesValue.Null, JmesValue.Null);
        if (!TryKeys(call, out var keyed))
        {
            return JmesValue.Null;
        }

        foreach (var (item, key) in keyed)
        {
            if (bestKey.IsNull || Math.Sign(JmesComparison.Order(key, bestKey)) == direction)
            {
                (best, bestKey) = (item, key);
            }
        }

        return best;
    }

    private static JmesValue SortBy(JmesCall call) => TryKeys(call, out var keyed)
        ? ListOf(keyed.OrderBy(pair => pair.Key, Comparer<JmesValue>.Create(JmesComparison.Order)).Select(pair => pair.Item))
        : JmesValue.Null;

    // Keys are numbers or texts, and all of one kind.
    private static bool TryKeys(JmesCall call, out List<(JmesValue Item, JmesValue Key)> keyed)
    {
        keyed = new List<(JmesValue, JmesValue)>(call[0].Count);
        foreach (var item in call[0].Items)
        {
            var key = call[1].AsExpression().Evaluate(item, call.Run);
            if (key.Kind is not (JmesKind.Number or JmesKind.String) || (keyed.Count > 0 && keyed[0].Key.Kind != key.Kind))
            {
                call.BadType($"the expression gives {NameOf(key.Kind)}; it must give a number for each element, or a text for each.");
                return false;
            }

            keyed.Add((item, key));
        }

        return true;
    }

    private static JmesValue ToNumber(JmesCall call)
    {
        if (call[0].Kind == JmesKind.Number)
        {
            return call[0];
        }

        if (call[0].Kind != JmesKind.String)
        {
            return JmesValue.Null;
        }

        // A text of the message is read where it stands: a string of it and bytes of that again were most of the work.
        var isPlain = call[0].TryNode(out var node) && !node.ContentSpan.Contains((byte)'\\');
        var text = (isPlain ? node.ContentSpan : Encoding.UTF8.GetBytes(call[0].AsString())).Trim(" \t\r\n"u8);
        return Running.DecimalText.IsNumber(text) ? JmesValue.Of(JmesNumber.Parse(text)) : JmesValue.Null;
    }

    private static JmesValue ToObject(JmesCall call)
    {
        var members = new JmesMembers();
        foreach (var pair in call[0].Items)
        {
            if (pair.Kind != JmesKind.Array || pair.Count != 2 || pair.At(0).Kind != JmesKind.String)
            {
                return call.Run.Fail("invalid-value", "'to_object' takes an array of pairs of a text and a value.");
            }

            members.Set(pair.At(0).AsString(), pair.At(1));
        }

        return JmesValue.Of(members);
    }

    private static JmesValue Zip(JmesCall call)
    {
        var arrays = call.Arguments.Select(ToArray).ToArray();
        return ListOf(Enumerable.Range(0, arrays.Min(array => array.Length)).Select(index => ListOf(arrays.Select(array => array[index]))));
    }
}
