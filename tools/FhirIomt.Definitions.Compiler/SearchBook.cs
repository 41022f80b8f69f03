using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Search parameters per concrete type with their expression narrowed to it, and compartments. Part of the first book.</summary>
internal sealed class SearchBook(BookWriter writer, PackageSource source, IReadOnlyCollection<string> resources)
{
    public Action Write()
    {
        var offsets = new List<(string Type, int Offset)>();
        foreach (var type in resources.Order(StringComparer.Ordinal))
        {
            offsets.Add((type, writer.Offset));
            WriteType(type);
        }

        return () =>
        {
            writer.Int(offsets.Count);
            foreach (var (type, offset) in offsets)
            {
                writer.Text(type);
                writer.Int(offset);
            }

            WriteCompartments();
        };
    }

    /// <summary>The parts of a union that select from the type; parts that name no type (InsurancePlan-name: <c>name | alias</c>) always do.</summary>
    public static string? Narrow(string expression, string type, Func<string, bool> isType)
    {
        var kept = SplitUnion(expression).FindAll(part =>
        {
            var start = part.AsSpan().TrimStart('(');
            var length = 0;
            while (length < start.Length && char.IsAsciiLetterOrDigit(start[length]))
            {
                length++;
            }

            var first = start[..length].ToString();
            return first == type || first is "Resource" or "DomainResource" || !isType(first);
        });
        return kept.Count == 0 ? null : string.Join(" | ", kept);
    }

    private static List<string> SplitUnion(string expression)
    {
        var parts = new List<string>();
        var (depth, quoted, start) = (0, false, 0);
        for (var at = 0; at < expression.Length; at++)
        {
            quoted ^= expression[at] == '\'';
            depth += quoted ? 0 : expression[at] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            if (expression[at] == '|' && depth == 0 && !quoted)
            {
                parts.Add(expression[start..at].Trim());
                start = at + 1;
            }
        }

        parts.Add(expression[start..].Trim());
        return parts;
    }

    private void WriteType(string type)
    {
        var parameters = new SortedDictionary<string, (ResourceNode Definition, string Expression)>(StringComparer.Ordinal);
        foreach (var definition in source.All("SearchParameter"))
        {
            var bases = Texts(definition["base"u8]);
            var applies = bases.Contains(type) || bases.Contains("Resource") || bases.Contains("DomainResource");
            if (applies && definition["expression"u8].AsString() is { } all && Narrow(all, type, resources.Contains) is { } expression)
            {
                parameters.TryAdd(definition["code"u8].AsString()!, (definition, expression));
            }
        }

        writer.Int(parameters.Count);
        foreach (var (code, (definition, expression)) in parameters)
        {
            writer.Text(code);
            writer.Text(definition["url"u8].AsString()!);
            writer.Int((int)Enum.Parse<SearchParameterType>(definition["type"u8].AsString()!, ignoreCase: true));
            writer.OptionalText(expression);
            writer.Texts(Texts(definition["target"u8]));
            WriteComponents(definition["component"u8]);
        }
    }

    private void WriteComponents(ResourceNode components)
    {
        writer.Int(components.Count);
        foreach (var component in components.Items)
        {
            writer.Text(component["definition"u8].AsString()!);
            writer.Text(component["expression"u8].AsString()!);
        }
    }

    private void WriteCompartments()
    {
        var rows = new List<(string Compartment, string Type, List<string> Codes)>();
        foreach (var definition in source.All("CompartmentDefinition"))
        {
            foreach (var resource in definition["resource"u8].Items)
            {
                if (Texts(resource["param"u8]) is { Count: > 0 } codes)
                {
                    rows.Add((definition["code"u8].AsString()!, resource["code"u8].AsString()!, codes));
                }
            }
        }

        writer.Int(rows.Count);
        foreach (var (compartment, type, codes) in rows)
        {
            writer.Text(compartment);
            writer.Text(type);
            writer.Texts(codes);
        }
    }

    private static List<string> Texts(ResourceNode list)
    {
        var texts = new List<string>();
        foreach (var item in list.Items)
        {
            texts.Add(item.AsString()!);
        }

        return texts;
    }
}
