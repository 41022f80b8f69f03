using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>Finds members that appear twice in one object: readers would disagree about which one counts.</summary>
internal static class JsonDuplicates
{
    // More are not worth reading.
    private const int MaxIssues = 100;

    // Comparing every pair is cheaper than hashing up to here; the widest R4 type has 60 members, and few resources use 24.
    private const int MaxCompared = 24;

    /// <param name="hasEscapes">Whether one stands anywhere in the text: to look for it in both names of every pair was a quarter of parsing a message.</param>
    public static List<Issue>? Find(ReadOnlySpan<byte> utf8, JsonRow[] rows, bool hasEscapes)
    {
        List<Issue>? found = null;
        HashSet<string>? seen = null;
        for (var parent = 0; parent < rows.Length; parent++)
        {
            if (rows[parent].Kind != NodeKind.Object || rows[parent].Count < 2)
            {
                continue;
            }

            if (rows[parent].Count <= MaxCompared)
            {
                AmongFew(utf8, rows, parent, hasEscapes, ref found);
            }
            else
            {
                AmongMany(utf8, rows, parent, seen ??= new(StringComparer.Ordinal), ref found);
            }
        }

        return found;
    }

    private static void AmongFew(ReadOnlySpan<byte> utf8, JsonRow[] rows, int parent, bool hasEscapes, ref List<Issue>? found)
    {
        var end = rows[parent].After;
        var marks = 1UL << MarkOf(utf8, rows[parent + 1]);
        for (var child = rows[parent + 1].After; child < end; child = rows[child].After)
        {
            var mark = 1UL << MarkOf(utf8, rows[child]);
            var isKnown = (marks & mark) != 0;
            marks |= mark;
            if (!isKnown && !hasEscapes)
            {
                continue;
            }

            var name = utf8.Slice(rows[child].NameStart, rows[child].NameLength);
            var escaped = hasEscapes && name.Contains((byte)'\\');
            for (var before = parent + 1; before < child; before = rows[before].After)
            {
                var other = utf8.Slice(rows[before].NameStart, rows[before].NameLength);
                if (name.SequenceEqual(other) || (hasEscapes && (escaped || other.Contains((byte)'\\')) && NameOf(utf8, rows[child]) == NameOf(utf8, rows[before])))
                {
                    Report(utf8, rows[child], ref found);
                    break;
                }
            }
        }
    }

    // Equal names have equal marks; most others do not, and need no comparison.
    private static int MarkOf(ReadOnlySpan<byte> utf8, in JsonRow row) =>
        row.NameLength == 0 ? 0 : (row.NameLength + (utf8[row.NameStart] * 3) + (utf8[row.NameStart + row.NameLength - 1] * 7)) & 63;

    private static void AmongMany(ReadOnlySpan<byte> utf8, JsonRow[] rows, int parent, HashSet<string> seen, ref List<Issue>? found)
    {
        seen.Clear();
        for (var child = parent + 1; child < rows[parent].After; child = rows[child].After)
        {
            if (!seen.Add(NameOf(utf8, rows[child])))
            {
                Report(utf8, rows[child], ref found);
            }
        }
    }

    private static void Report(ReadOnlySpan<byte> utf8, in JsonRow row, ref List<Issue>? found)
    {
        found ??= [];
        if (found.Count < MaxIssues)
        {
            found.Add(JsonIssues.DuplicateName(NameOf(utf8, row), TextPosition.At(utf8, row.NameStart)));
        }
    }

    private static string NameOf(ReadOnlySpan<byte> utf8, in JsonRow row)
    {
        var name = utf8.Slice(row.NameStart, row.NameLength);
        return name.Contains((byte)'\\') ? JsonTree.Unescape(name) : Encoding.UTF8.GetString(name);
    }
}
