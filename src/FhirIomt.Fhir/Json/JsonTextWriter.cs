using System.Buffers;

namespace FhirIomt.Fhir.Json;

/// <summary>Writes a value again with other white space and nothing else changed: numbers, escapes and the order of members stay as they came in.</summary>
public static class JsonTextWriter
{
    /// <summary>Without any white space between tokens.</summary>
    public static byte[] Minified(ResourceNode node) => Write(node, indented: false);

    /// <summary>One member a line, two spaces a level.</summary>
    public static byte[] Indented(ResourceNode node) => Write(node, indented: true);

    /// <summary>Appends the value to an output.</summary>
    public static void Write(ResourceNode node, IBufferWriter<byte> output, bool indented)
    {
        if (node.Exists)
        {
            WriteValue(node, output, indented ? 0 : -1);
        }
    }

    private static byte[] Write(ResourceNode node, bool indented)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(16, node.Exists ? node.Length : 0));
        Write(node, output, indented);
        return output.WrittenSpan.ToArray();
    }

    // As deep as the tree, whose reader bounds it.
    private static void WriteValue(ResourceNode node, IBufferWriter<byte> output, int level)
    {
        if (node.Kind > NodeKind.Array)
        {
            output.Write(node.RawSpan);
            return;
        }

        var inner = level < 0 ? level : level + 1;
        output.Write(node.IsObject ? "{"u8 : "["u8);
        var isFirst = true;
        foreach (var child in node.Children)
        {
            if (!isFirst)
            {
                output.Write(","u8);
            }

            isFirst = false;
            NewLine(output, inner);
            if (node.IsObject)
            {
                output.Write("\""u8);
                output.Write(child.NameSpan);
                output.Write(level < 0 ? "\":"u8 : "\": "u8);
            }

            WriteValue(child, output, inner);
        }

        if (!isFirst)
        {
            NewLine(output, level);
        }

        output.Write(node.IsObject ? "}"u8 : "]"u8);
    }

    private static void NewLine(IBufferWriter<byte> output, int level)
    {
        if (level < 0)
        {
            return;
        }

        output.Write("\n"u8);
        for (var left = level; left > 0; left--)
        {
            output.Write("  "u8);
        }
    }
}
