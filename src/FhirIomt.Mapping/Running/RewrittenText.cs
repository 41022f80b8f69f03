using System.Globalization;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// What the connector makes of values on their way, for mappings that ask for its defect 8: numbers with a fraction or exponent go through double
/// (78.50 becomes 78.5), and texts that look like ISO times come out as month/day/year.
/// </summary>
internal static class RewrittenText
{
    public static ResourceNode Of(ResourceNode node)
    {
        if (node.Kind == NodeKind.Number && node.RawSpan.ContainsAny((byte)'.', (byte)'e', (byte)'E'))
        {
            return Node(double.Parse(node.RawSpan, NumberStyles.Float, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture));
        }

        if (node.Kind != NodeKind.String || node.ContentSpan.Length < 19 || node.ContentSpan[10] != (byte)'T')
        {
            return node;
        }

        return DeviceTime.Read(node.ContentSpan, out var instant, out var clock) switch
        {
            TimeReading.Read => Node(instant.UtcDateTime.ToString(CultureInfo.InvariantCulture)),
            TimeReading.NoZone => Node(clock.ToString(CultureInfo.InvariantCulture)),
            _ => node,
        };
    }

    private static ResourceNode Node(string text) => JmesPathExpression.ToNode(JmesValue.Of(text));
}
