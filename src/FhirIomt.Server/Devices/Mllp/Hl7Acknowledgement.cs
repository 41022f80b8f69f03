using System.Globalization;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Server.Devices.Mllp;

/// <summary>How a message was received, in the words of HL7 table 0008 for original mode; enhanced mode's commit has the same three with a C.</summary>
internal enum Hl7Receipt
{
    /// <summary>What it said is stored, or kept for replay.</summary>
    Accepted,

    /// <summary>Its content is at fault, and nothing was kept.</summary>
    Error,

    /// <summary>It is of a kind that is not taken here, or the receiver has a fault of its own that passes.</summary>
    Rejected,
}

/// <summary>
/// Makes the acknowledgements that the sender asked for in MSH-15 and MSH-16 (HL7 v2, 2.9): one application acknowledgement when both are blank (original mode), otherwise a
/// commit and an application acknowledgement, each on its condition.
/// </summary>
internal static class Hl7Acknowledgement
{
    public static IEnumerable<byte[]> Of(Hl7Message message, Hl7Receipt receipt, IReadOnlyList<Issue> issues, bool isOwnFault, IdSource ids, DateTimeOffset now)
    {
        var (commit, application) = (message.Header[15].Text, message.Header[16].Text);
        if (commit.Length == 0 && application.Length == 0)
        {
            yield return Write(message, $"A{Letter(receipt)}", receipt, issues, isOwnFault, ids, now);
            yield break;
        }

        if (IsWanted(commit, receipt))
        {
            // A rejection of the commit is about MSH-9, 11 or 12; a fault of the receiver is an error.
            yield return Write(message, $"C{Letter(receipt == Hl7Receipt.Rejected && isOwnFault ? Hl7Receipt.Error : receipt)}", receipt, issues, isOwnFault, ids, now);
        }

        if (IsWanted(application, receipt))
        {
            yield return Write(message, $"A{Letter(receipt)}", receipt, issues, isOwnFault, ids, now);
        }
    }

    /// <summary>To something that is no message: without a control id to answer to.</summary>
    public static byte[] OfNoMessage(Issue issue, IdSource ids, DateTimeOffset now) =>
        Encoding.UTF8.GetBytes($"MSH|^~\\&|FHIRIOMT||||{Time(now)}||ACK|{ids.NewId()}|P|2.6\rMSA|AR|\r{Error(issue, Hl7Receipt.Rejected, isOwnFault: false, Hl7Separators.Usual)}\r");

    private static byte[] Write(Hl7Message message, string code, Hl7Receipt receipt, IReadOnlyList<Issue> issues, bool isOwnFault, IdSource ids, DateTimeOffset now)
    {
        var (header, separators) = (message.Header, message.Separators);
        string Raw(int field) => header[field].Raw.ToString();
        var version = Raw(12);
        var trigger = message.Type.Trigger is { Length: > 0 } known ? $"ACK{separators.Component}{known}{separators.Component}ACK" : "ACK";
        var fields = new[]
        {
            "MSH", Raw(2), Raw(5), Raw(6), Raw(3), Raw(4), Time(now), "", trigger, ids.NewId()[..20], Raw(11), version.Length == 0 ? "2.6" : version, "", "", "", "", "", "UNICODE UTF-8",
        };
        var text = new StringBuilder(string.Join(separators.Field, fields)).Append('\r');
        text.Append("MSA").Append(separators.Field).Append(code).Append(separators.Field).Append(Raw(10)).Append('\r');
        if (HasErrors(version))
        {
            // Thirty values of one device that nobody wears are one thing to mend.
            foreach (var issue in issues.DistinctBy(issue => (issue.Code, issue.Expression)))
            {
                text.Append(Error(issue, receipt, isOwnFault, separators)).Append('\r');
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // Before 2.5 the segment had another form, which nobody reads.
    private static bool HasErrors(string version) => version.Length == 0 || !decimal.TryParse(version.Split('^')[0][..Math.Min(3, version.Split('^')[0].Length)], NumberStyles.Number, CultureInfo.InvariantCulture, out var number) || number >= 2.5m;

    private static string Error(Issue issue, Hl7Receipt receipt, bool isOwnFault, Hl7Separators separators)
    {
        var (f, c) = (separators.Field, separators.Component);
        var code = isOwnFault ? "207" : issue.Kind switch
        {
            IssueKind.Required => "101",
            IssueKind.CodeInvalid => "103",
            IssueKind.NotSupported => "200",
            IssueKind.NotFound => "204",
            IssueKind.Value or IssueKind.Structure => "102",
            _ => "207",
        };
        var severity = receipt == Hl7Receipt.Accepted ? 'W' : 'E';
        return $"ERR{f}{f}{f}{code}{c}{c}HL70357{f}{severity}{f}{issue.Code}{f}{f}{f}{Escaped(issue.Message + " " + issue.Fix, separators)}";
    }

    private static string Escaped(string text, Hl7Separators separators)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            var letter = character == separators.Field ? 'F' : character == separators.Component ? 'S' : character == separators.Subcomponent ? 'T' : character == separators.Repetition ? 'R' : character == separators.Escape ? 'E' : '\0';
            escaped.Append(letter == '\0' ? $"{(char.IsControl(character) ? ' ' : character)}" : $"{separators.Escape}{letter}{separators.Escape}");
        }

        return escaped.ToString();
    }

    private static bool IsWanted(string condition, Hl7Receipt receipt) => condition switch
    {
        "AL" => true,
        "SU" => receipt == Hl7Receipt.Accepted,
        "ER" => receipt != Hl7Receipt.Accepted,
        _ => false,
    };

    private static char Letter(Hl7Receipt receipt) => receipt switch
    {
        Hl7Receipt.Accepted => 'A',
        Hl7Receipt.Error => 'E',
        _ => 'R',
    };

    private static string Time(DateTimeOffset now) => now.UtcDateTime.ToString("yyyyMMddHHmmss'+0000'", CultureInfo.InvariantCulture);
}
