using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Server.Devices.Quarantine;

namespace FhirIomt.Server.Devices;

/// <summary>
/// The receipts of one commit as they are kept: <c>{"sender":…,"messages":[…]}</c> where all are of one sender, and <c>{"senders":[{"sender":…,"messages":[…]},…]}</c> where many
/// had one message each. A receipt is found by its own sender only.
/// </summary>
internal static class ReceiptRecord
{
    public static byte[] Write(IReadOnlyList<(string Sender, ArraySegment<MessageReceipt> Receipts)> senders) => JsonBytes.Of(writer =>
    {
        if (senders.Count == 1)
        {
            Write(writer, senders[0].Sender, senders[0].Receipts);
            return;
        }

        writer.WriteStartObject();
        writer.WriteStartArray("senders"u8);
        foreach (var (sender, receipts) in senders)
        {
            Write(writer, sender, receipts);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    /// <summary>The receipt of a message that this sender sent; nothing where there is none, or it is somebody else's.</summary>
    public static ResourceNode Find(ReadOnlyMemory<byte> record, string sender, string id)
    {
        var (ofSender, ofMessage) = (Encoding.UTF8.GetBytes(sender), Encoding.UTF8.GetBytes(id));
        foreach (var part in PartsOf(JsonTree.Parse(record).Require().Root))
        {
            if (part["sender"u8].TextEquals(ofSender))
            {
                foreach (var receipt in part["messages"u8].Children)
                {
                    if (receipt["id"u8].TextEquals(ofMessage))
                    {
                        return receipt;
                    }
                }
            }
        }

        return default;
    }

    /// <summary>The record with another receipt in the place of the one with that id.</summary>
    public static byte[] Replace(ReadOnlyMemory<byte> record, MessageReceipt receipt) => JsonBytes.Of(writer =>
    {
        var root = JsonTree.Parse(record).Require().Root;
        var isOne = !root["senders"u8].Exists;
        if (!isOne)
        {
            writer.WriteStartObject();
            writer.WriteStartArray("senders"u8);
        }

        foreach (var part in PartsOf(root))
        {
            Replace(writer, part, receipt);
        }

        if (!isOne)
        {
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
    });

    private static IEnumerable<ResourceNode> PartsOf(ResourceNode root)
    {
        if (!root["senders"u8].Exists)
        {
            return [root];
        }

        var parts = new List<ResourceNode>();
        foreach (var part in root["senders"u8].Children)
        {
            parts.Add(part);
        }

        return parts;
    }

    private static void Write(Utf8JsonWriter writer, string sender, ArraySegment<MessageReceipt> receipts)
    {
        writer.WriteStartObject();
        writer.WriteString("sender"u8, sender);
        writer.WriteStartArray("messages"u8);
        foreach (var receipt in receipts)
        {
            receipt.Write(writer);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Replace(Utf8JsonWriter writer, ResourceNode part, MessageReceipt receipt)
    {
        writer.WriteStartObject();
        writer.WriteString("sender"u8, part["sender"u8].AsString());
        writer.WriteStartArray("messages"u8);
        foreach (var message in part["messages"u8].Children)
        {
            if (message["id"u8].AsString() == receipt.Id)
            {
                receipt.Write(writer);
            }
            else
            {
                message.WriteTo(writer);
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
