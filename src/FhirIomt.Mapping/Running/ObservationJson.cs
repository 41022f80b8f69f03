using System.Buffers;
using System.Globalization;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping.Running;

/// <summary>Where the values of an Observation come from: one reading, or the readings of a window.</summary>
internal interface IObservationValues
{
    /// <summary>Whether the Observation's own value (-1) or that component is there.</summary>
    bool Has(int series);

    /// <summary><c>"valueX":…</c></summary>
    void Write(in ResourceOutput json, int series);
}

/// <summary>Writes Observations in the shape and with the order of members that the IoMT connector gives them.</summary>
internal static class ObservationJson
{
    private const string ShortTime = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static void Write(IBufferWriter<byte> output, ReadingPlan plan, in ResolvedReading resolved, DateTimeOffset start, DateTimeOffset end, IObservationValues values)
    {
        var fhir = plan.Fhir ?? throw new InvalidOperationException("A reading without FHIR template cannot be written.");
        var json = new ResourceOutput(output);
        json.Raw("{\"resourceType\":\"Observation\",\"id\":\""u8);
        json.Text(resolved.Key.ResourceId);
        json.Raw("\","u8);
        json.Raw(fhir.Meta);
        json.Raw("\"identifier\":[{\"system\":\""u8);
        json.Text(resolved.Key.System);
        json.Raw("\",\"value\":\""u8);
        json.Text(resolved.Key.Value);
        json.Raw(resolved.Amended ? "\"}],\"status\":\"amended\","u8 : "\"}],\"status\":\"final\","u8);
        json.Raw(fhir.Category);
        json.Raw(plan.Code);
        WriteReference(json, "\"subject\":{\"reference\":\"Patient/"u8, resolved.PatientId);
        if (resolved.EncounterId is { } encounter)
        {
            WriteReference(json, "\"encounter\":{\"reference\":\"Encounter/"u8, encounter);
        }

        WriteEffective(json, fhir.EffectiveDateTime, start, end);
        json.Raw(",\"issued\":\""u8);
        json.Time(resolved.Issued, Instant);
        json.Raw("\","u8);
        if (values.Has(-1))
        {
            values.Write(json, -1);
            json.Raw(","u8);
        }

        json.Raw("\"device\":{\"reference\":\"Device/"u8);
        json.Text(resolved.DeviceId);
        json.Raw("\"}"u8);
        WriteComponents(json, plan, values);
        json.Raw("}"u8);
    }

    public static string Segment(DateTimeOffset time, bool withFraction) =>
        time.UtcDateTime.ToString(withFraction ? "yyyyMMddHHmmss'.'fffffff'Z'" : "yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture);

    private static void WriteReference(in ResourceOutput json, ReadOnlySpan<byte> start, string id)
    {
        json.Raw(start);
        json.Text(id);
        json.Raw("\"},"u8);
    }

    private static void WriteEffective(in ResourceOutput json, bool dateTime, DateTimeOffset start, DateTimeOffset end)
    {
        if (dateTime && start == end)
        {
            json.Raw("\"effectiveDateTime\":\""u8);
            json.Time(start, ShortTime);
            json.Raw("\""u8);
            return;
        }

        json.Raw("\"effectivePeriod\":{\"start\":\""u8);
        json.Time(start, "o");
        json.Raw("\",\"end\":\""u8);
        json.Time(end, "o");
        json.Raw("\"}"u8);
    }

    private static void WriteComponents(in ResourceOutput json, ReadingPlan plan, IObservationValues values)
    {
        var separator = ",\"component\":["u8;
        for (var i = 0; i < plan.Components.Length; i++)
        {
            if (values.Has(i))
            {
                json.Raw(separator);
                json.Raw("{"u8);
                json.Raw(plan.Fhir!.Components[i].Code);
                values.Write(json, i);
                json.Raw("}"u8);
                separator = ","u8;
            }
        }

        if (separator.Length == 1)
        {
            json.Raw("]"u8);
        }
    }
}
