using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>What OBX-8 and OBX-11 say about a value (IHE DEC; HL7 PoCD's mapping of version 2).</summary>
internal sealed record Hl7Flags(string? AbsentReason, bool IsTest, bool IsEarly, IReadOnlyList<CodedConcept> Interpretations)
{
    private const string MeasurementStatus = "http://terminology.hl7.org/CodeSystem/measurement-status";
    private const string Interpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

    private static readonly Hl7Flags None = new(null, IsTest: false, IsEarly: false, []);

    public static Hl7Flags Of(Hl7Value flags)
    {
        if (flags.IsEmpty)
        {
            return None;
        }

        var (absent, isTest, isEarly) = ((string?)null, false, false);
        var interpretations = new List<CodedConcept>();
        for (var number = 1; number <= flags.Repetitions; number++)
        {
            var flag = flags.Repetition(number).Component(1).Text;
            switch (flag)
            {
                case "INV":
                    absent = "error";
                    break;
                case "NAV" or "BUSY":
                    absent = "temp-unknown";
                    break;
                case "OFF":
                    absent = "not-performed";
                    break;
                case "NI":
                    absent = "unknown";
                    break;
                case "TEST" or "DEMO":
                    isTest = true;
                    break;
                case "EARLY":
                    isEarly = true;
                    interpretations.Add(new CodedConcept(MeasurementStatus, "early-indication"));
                    break;
                case "QUES" or "CAL" or "ALACT" or "ALINH" or "VAL":
                    interpretations.Add(new CodedConcept(MeasurementStatus, StatusOf(flag)));
                    break;
                case "N" or "L" or "LL" or "H" or "HH" or "A" or "AA" or ">" or "<":
                    interpretations.Add(new CodedConcept(Interpretation, flag));
                    break;
            }
        }

        return new Hl7Flags(absent, isTest, isEarly, interpretations);
    }

    /// <summary>Observation.status of OBX-11; null where the observation was deleted and says nothing any more.</summary>
    public string? Status(string status) => status switch
    {
        "P" or "S" or "I" => "preliminary",
        "C" => "corrected",
        "W" => "entered-in-error",
        "D" or "N" => null,
        _ => IsEarly ? "preliminary" : "final",
    };

    private static string StatusOf(string flag) => flag switch
    {
        "QUES" => "questionable",
        "CAL" => "calibration-ongoing",
        "ALACT" => "in-alarm",
        "ALINH" => "alarm-inhibited",
        _ => "validated-data",
    };
}
