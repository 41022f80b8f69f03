using FhirIomt.Core;

namespace FhirIomt.Ingest.Hl7;

/// <summary>What makes a text no message of HL7 v2: IOMT-0580 to IOMT-0582.</summary>
internal static class Hl7Issues
{
    public static Issue NoHeader() =>
        Issue.Error(IssueKind.Structure, "IOMT-0580", "The text does not begin with an MSH segment.", "MSH", "Send messages of HL7 version 2 with vertical bars; each begins with MSH and its separators.");

    public static Issue Charset(string name) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0581", $"The charset '{(name.Length <= 32 ? name : name[..32])}' is not known.", "MSH-18", "Send UNICODE UTF-8, ASCII or 8859/1.");
}
