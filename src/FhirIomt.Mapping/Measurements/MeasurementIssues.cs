using FhirIomt.Core;

namespace FhirIomt.Mapping.Measurements;

/// <summary>What stands in the way of a measurement that a decoder found: IOMT-0559 to IOMT-0579.</summary>
internal static class MeasurementIssues
{
    public static Issue Missing(string member, string fix) => Issue.Error(IssueKind.Required, "IOMT-0560", $"The message has no usable '{member}'.", member, fix);

    public static Issue BadTime(string member) =>
        Issue.Error(IssueKind.Value, "IOMT-0561", $"'{member}' is not a time that can be read without guessing.", member, "Send ISO 8601 with an offset; deviceClock without one, as 2026-02-01T22:46:01, together with deviceClockAt.");

    public static Issue UnknownCharacteristic(ushort characteristic) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0562", $"The characteristic 0x{characteristic:X4} is not one that is decoded here.", "characteristic", "Send 2A37, 2A35, 2A1C, 2A18, 2AA7, 2A5E, 2A5F, 2A9D or 2A9C; 2A34 as contextHex of its 2A18.");

    public static Issue Short(ushort characteristic) =>
        Issue.Error(IssueKind.Structure, "IOMT-0563", $"The value of characteristic 0x{characteristic:X4} is shorter than its flags say.", "valueHex", "Send all bytes of the notification.");

    public static Issue Checksum() => Issue.Error(IssueKind.Value, "IOMT-0564", "The checksum of a record does not fit: its bytes were changed on the way.", "valueHex", "Read the record from the sensor again.");

    public static Issue Control() => Issue.Error(IssueKind.BusinessRule, "IOMT-0565", "The sample is control solution: it is nobody's blood and no reading of a patient.", fix: "Nothing needs to be sent.");

    public static Issue NoZone() => Issue.Error(
        IssueKind.Required, "IOMT-0566", "The device's time names no zone, and nobody declared one.", fix: "Send utcOffset, or deviceClock with deviceClockAt, or receivedAt with the local offset instead of Z; for HL7 v2 an offset in the time, or the zone of the listener.");

    public static Issue NoSession() => Issue.Error(IssueKind.Required, "IOMT-0567", "The record counts its minutes from the start of a session that is not told.", "sessionStart", "Send sessionStart, from characteristic 2AAA, as ISO 8601 with an offset.");

    public static Issue OtherContext() => Issue.Error(IssueKind.Value, "IOMT-0568", "The context belongs to a measurement of another sequence number.", "contextHex", "Send each context with the measurement it belongs to.");

    public static Issue NoValue(string what) => Issue.Error(IssueKind.Value, "IOMT-0569", $"{what}: the device says itself that it did not succeed.", fix: "Measure again.");

    public static Issue UnknownType(string type) => Issue.Error(IssueKind.NotSupported, "IOMT-0570", $"Messages of type {type} are not taken.", "MSH-9", "Send ORU^R01, ORU^W01 or ORU^R40.");

    public static Issue NoTime(string obx) => Issue.Error(IssueKind.Required, "IOMT-0571", "Neither the observation nor its OBR says when it was measured.", $"OBX({obx})-14", "Send OBX-14 or OBR-7.");

    public static Issue NoCode(string obx) => Issue.Error(IssueKind.CodeInvalid, "IOMT-0572", "The observation has no code.", $"OBX({obx})-3", "Send a code of MDC or LOINC.");

    public static Issue BadValue(string obx, string type) =>
        Issue.Error(IssueKind.Value, "IOMT-0573", $"The value cannot be read as the type {(type.Length <= 8 ? type : type[..8])} that OBX-2 names.", $"OBX({obx})-5", "Write numbers with a point; give waveforms their sample rate (MDC_ATTR_SAMP_RATE).");

    public static Issue BadHl7Time(string obx) => Issue.Error(IssueKind.Value, "IOMT-0574", "The time cannot be read.", $"OBX({obx})-14", "Send YYYYMMDDHHMMSS with an offset, such as 20260201224601+0100.");

    public static Issue NoAlarm() => Issue.Error(IssueKind.Required, "IOMT-0575", "The alarm lacks its event (196616), its phase (68481) or its number (OBR-3).", fix: "Send the facets of IHE ACM.");

    public static Issue NothingMeasured() => Issue.Error(IssueKind.NotFound, "IOMT-0576", "The message holds no observation of a patient.", fix: "Nothing, when it only says that a device is there; otherwise send OBX segments with values.");

    public static Issue BadDeviceStatus(string obx) => Issue.Warning(
        IssueKind.Value, "IOMT-0559", "What the device says of its battery or power cannot be read; it was left out.", $"OBX({obx})", "Send the charge as NM from 0 to 100 in per cent, the time left in s, min or h, with OBX-14 or OBR-7.");
}
