using FhirIomt.Core;

namespace FhirIomt.Server.Devices;

/// <summary>Refusals and quarantine reasons of the device endpoints: IOMT-0520 to IOMT-0542.</summary>
internal static class DeviceIssues
{
    public static Issue NotItsDevice() =>
        Issue.Error(IssueKind.Forbidden, "IOMT-0520", "The message names another device than the credential's.", fix: "Send it with that device's own credential, or with its vendor's.");

    public static Issue UnknownDevice() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0521", "No device of this sender has that identifier.", fix: "Register it with 'fhiriomt device add', then replay the message; or give the mapping the identity mode 'create'.");

    public static Issue SeveralDevices() =>
        Issue.Error(IssueKind.MultipleMatches, "IOMT-0522", "Several devices of this sender have that identifier.", fix: "Give each device an identifier of its own.");

    public static Issue NoPatient() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0523", "The device was assigned to no patient at the reading's time.", fix: "Record the assignment (DeviceUseStatement), then replay the message.");

    public static Issue SeveralPatients() =>
        Issue.Error(IssueKind.MultipleMatches, "IOMT-0524", "The device was assigned to more than one patient at the reading's time; the patient is never guessed.", fix: "Correct the assignments so that they do not overlap, then replay the message.");

    public static Issue OtherPatient() =>
        Issue.Error(IssueKind.Conflict, "IOMT-0525", "The message names another patient than the device was assigned to.", fix: "Correct the message or the assignment.");

    public static Issue NoNamedPatient() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0539", "No patient, or more than one, has the identifier that the message names.", fix: "Store the Patient with that identifier, or assign the device, then replay the message.");

    public static Issue UnknownUser() => Issue.Error(
        IssueKind.NotFound, "IOMT-0541", "The reading is of another person who shares the device, and nobody has said who that is.", fix: "Register the device once more for that person, with '#' and the person's number behind its identifier, then replay the message.");

    public static Issue MessageFault() =>
        Issue.Error(IssueKind.Exception, "IOMT-0542", "The server failed on this message; it is kept as it came.", fix: "Tell who runs the server; replay the message when the fault is mended.");

    public static Issue Implausible(string code, string unit, decimal low, decimal high) => Issue.Error(
        IssueKind.Value, "IOMT-0540", $"The value is outside of {low} to {high} {unit}, which is what LOINC {code} can be.", fix: "Look at the unit and the device; mend the message, or replay it when the range is wrong (Ingest:Plausibility).");

    public static Issue InTheFuture(TimeSpan limit) =>
        Issue.Error(IssueKind.Value, "IOMT-0526", $"The reading's time is more than {limit.TotalMinutes:0} minutes ahead of the server's clock.", fix: "Set the device's clock or zone; replay the message when its time is right.");

    public static Issue NoEncounter() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0527", "No encounter of this patient has that identifier.", fix: "Store the Encounter, then replay the message.");

    public static Issue EncounterNeeded() =>
        Issue.Error(IssueKind.Required, "IOMT-0438", "The mapping's identity mode asks for an encounter, and the message names none.", fix: "Let the mapping extract an encounter id, or use the identity mode 'lookup'.");

    public static Issue PatientNeeded() =>
        Issue.Error(IssueKind.Required, "IOMT-0528", "The device is not known, and the message names no patient to create it for.", fix: "Let the mapping extract a patient id, or register the device.");

    public static Issue NotCreated() =>
        Issue.Error(IssueKind.Value, "IOMT-0529", "The device is not known and cannot be created from the message's ids: FHIR does not allow them, or the device was deleted.", fix: "Send ids without control characters and of less than a megabyte, or register the device.");

    public static Issue NoMapping() =>
        Issue.Error(IssueKind.Required, "IOMT-0530", "The request names no mapping, and the sender has no default.", "mapping", "Send POST /devices/messages?mapping=NAME.");

    public static Issue UnknownMapping(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0531", $"There is no mapping '{Shorten(name)}'.", "mapping", "Add it with 'fhiriomt mapping add', or use one that comes with the server: vitals, cgm, cgm-csv, gatt, hl7v2.");

    public static Issue BadMappingName(string name) =>
        Issue.Error(IssueKind.Value, "IOMT-0532", $"'{Shorten(name)}' cannot be a mapping's name.", "name", "Use 1 to 64 letters, digits, '-', '_' and '.'.");

    public static Issue BadMappingBody() =>
        Issue.Error(IssueKind.Structure, "IOMT-0533", "The body must be {\"device\":{…},\"fhir\":{…},\"identity\":\"lookup\"|\"create\"|\"lookup-with-encounter\"}.", fix: "Send both mappings as objects.");

    public static Issue NoSuchMessage() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0534", "There is no receipt with that id.", fix: "Use the id of a receipt, with the credential that sent the message.");

    public static Issue NotADevice() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0877", "This credential is not that of a device.", fix: "Ask with the device's own credential; vendors read their receipts.");

    public static Issue NotOperator() =>
        Issue.Error(IssueKind.Forbidden, "IOMT-0535", "This needs an operator's token.", "Authorization", "Get a token with the scope __operator.");

    public static Issue CredentialMissing() =>
        Issue.Error(IssueKind.Login, "IOMT-0536", "The request has no credential.", "Authorization", "Send 'Authorization: Bearer CREDENTIAL' with what 'fhiriomt device add' or 'vendor add' printed.");

    public static Issue CredentialUnknown() =>
        Issue.Error(IssueKind.Login, "IOMT-0537", "The credential is not known.", "Authorization", "Check it, or have a new one made.");

    public static Issue BadContentType(string? contentType) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0538", $"The content type '{Shorten(contentType ?? "")}' is not taken.", "Content-Type", "Send application/json, application/x-ndjson or text/csv.");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
