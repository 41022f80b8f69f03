using FhirIomt.Core;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>One message about an alarm (IHE ACM, PCD-04): seven facets in OBX segments, correlated by the filler number of the alarm's first message.</summary>
/// <param name="AlarmId">Of the alarm, not of this message.</param>
/// <param name="Event">What the alarm is: a code of MDC.</param>
/// <param name="Source">What set it off: a metric or a part of the device.</param>
/// <param name="Phase">start, continue, update, escalate, deescalate, reset, end, tpoint, present.</param>
/// <param name="IsActive">Whether it lasts.</param>
/// <param name="Priority">PN, PL, PM, PH; null when not told.</param>
/// <param name="Kind">SP physiological, ST technical, SA advisory; null when not told.</param>
internal sealed record Hl7Alarm(
    string AlarmId, CodedConcept Event, string? EventText, CodedConcept? Source, string? SourceValue, string Phase, bool IsActive, string? Inactivation, string? Priority, string? Kind,
    string DeviceIdentifier, string? PatientIdentifier, DateTimeOffset At, string TimeText, bool IsTest)
{
    public static Outcome<Hl7Alarm> Read(List<Hl7Observation> group, string? patient, string device, TimeZoneInfo? zone, bool isTest)
    {
        var obr = group[0].Obr;

        // Old senders have the same facets under 68164 to 68167.
        var happened = Find(group, "196616");
        var (source, phase, state) = (Find(group, "68480", "68164"), Find(group, "68481", "68165"), Find(group, "68482", "68166"));
        if (happened is null || Hl7Observation.ConceptOf(happened.Value, 1) is not { } code || phase is null)
        {
            return MeasurementIssues.NoAlarm();
        }

        var time = happened.Obx[14].IsEmpty ? obr[7] : happened.Obx[14];
        if (!Hl7Time.TryParse(time.Component(1).Raw, out var clock))
        {
            return MeasurementIssues.BadHl7Time(happened.Obx[1].Text);
        }

        if (clock.Instant(zone) is not { } at)
        {
            return MeasurementIssues.NoZone();
        }

        var parent = obr[29].Component(2);
        var id = parent.Subcomponent(1).TextOrNull ?? obr[3].Component(1).TextOrNull;
        if (id is null)
        {
            return MeasurementIssues.NoAlarm();
        }

        var phaseText = phase.Value.Text;
        return new Hl7Alarm(
            id, code, happened.Value.Component(9).TextOrNull, source is null ? null : Hl7Observation.ConceptOf(source.Value, 1) ?? source.Concept(), ValueOf(group), phaseText,
            state is null ? phaseText is not ("end" or "reset") : state.Value.Text is "active" or "latched", Find(group, "68483")?.Value.TextOrNull,
            PriorityOf(group), KindOf(group), device, patient, at, time.Component(1).Text, isTest || Hl7Flags.Of(happened.Obx[8]).IsTest);
    }

    private static Hl7Observation? Find(List<Hl7Observation> group, params ReadOnlySpan<string> codes)
    {
        foreach (var code in codes)
        {
            foreach (var one in group)
            {
                if (one.Code.Component(1).Text == code)
                {
                    return one;
                }
            }
        }

        return null;
    }

    // Newer senders give priority and kind facets of their own, older ones flags of the event.
    private static string? PriorityOf(List<Hl7Observation> group) => Find(group, "68484", "68167")?.Value.TextOrNull ?? Flag(group, "PN", "PL", "PM", "PH");

    private static string? KindOf(List<Hl7Observation> group) => Find(group, "68485")?.Value.TextOrNull ?? Flag(group, "SP", "ST", "SA");

    private static string? Flag(List<Hl7Observation> group, params ReadOnlySpan<string> wanted)
    {
        foreach (var one in group)
        {
            for (var number = 1; number <= one.Obx[8].Repetitions; number++)
            {
                var flag = one.Obx[8].Repetition(number).Text;
                if (wanted.Contains(flag))
                {
                    return flag;
                }
            }
        }

        return null;
    }

    // A physiological alarm brings the value that set it off and the limits that it broke.
    private static string? ValueOf(List<Hl7Observation> group)
    {
        foreach (var one in group)
        {
            if (one.Type == "NM" && !one.IsAttribute && !one.Value.IsEmpty)
            {
                var limits = one.Obx[7].IsEmpty ? "" : $" (limits {one.Obx[7].Text})";
                return $"{one.Code.Component(2).Text}: {one.Value.Text} {one.Unit().Ucum}{limits}";
            }
        }

        return null;
    }
}
