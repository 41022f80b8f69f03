using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest.Gatt;

namespace FhirIomt.Mapping.Measurements;

/// <summary>Readings of notifications that a gateway passes on as they came from the sensor (Bluetooth SIG, GATT Specification Supplement).</summary>
public sealed class GattMapper : IMessageMapper
{
    private const string Glucose = "160184 160188 160192 160196 160200 160204 160364 160368 160212";

    private static readonly string[] GlucoseTypes = Glucose.Split(' ');

    // By Temperature Type; unknown is a body temperature too.
    private static readonly string[] TemperatureTypes = ["150364", "188452", "150364", "188428", "188432", "188456", "188424", "188420", "188448", "150392"];
    private static readonly string[] Meals = ["", "8417868", "8417872", "8417876", "8417880"];

    private GattMapper()
    {
    }

    public static GattMapper Instance { get; } = new();

    public string Version => "gatt-1";

    public MapResult Map(JsonTree envelope, MappingContext context)
    {
        if (!GattMessage.Read(envelope.Root["Body"u8], context.Enqueued).TryGetValue(out var message, out var issues))
        {
            return new MapResult([], issues);
        }

        var found = new Findings(message);
        found.Decode();
        return new MapResult([.. found.Measurements.Select(MappedReading (measurement) => new MeasurementReading(measurement))], found.Issues);
    }

    /// <summary>What one notification holds.</summary>
    private sealed class Findings(GattMessage message)
    {
        public List<Measurement> Measurements { get; } = [];

        public List<Issue> Issues { get; } = [];

        public void Decode()
        {
            var isWhole = message.Characteristic switch
            {
                0x2A37 => HeartRate(),
                0x2A35 => BloodPressure(),
                0x2A1C => Temperature(),
                0x2A18 => BloodGlucose(),
                0x2AA7 => Continuous(),
                0x2A5E => Oximetry(PulseOximetry.TryReadSpot(message.Value, out var spot), spot),
                0x2A5F => Oximetry(PulseOximetry.TryReadContinuous(message.Value, out var continuous), continuous),
                0x2A9D => Weight(),
                0x2A9C => Composition(),
                _ => Unknown(),
            };
            if (!isWhole)
            {
                Issues.Add(MeasurementIssues.Short(message.Characteristic));
            }
        }

        private bool Unknown()
        {
            Issues.Add(MeasurementIssues.UnknownCharacteristic(message.Characteristic));
            return true;
        }

        private bool HeartRate()
        {
            if (!HeartRateMeasurement.TryRead(message.Value, out var rate))
            {
                return false;
            }

            if (!rate.IsValid)
            {
                Issues.Add(MeasurementIssues.NoValue(rate.HasContact == false ? "The sensor does not touch the skin" : "No heart rate was found"));
                return true;
            }

            Add(null, null, "8454258", new MeasuredValue.Quantity($"{rate.Rate}", "/min"));
            if (rate.Intervals > 0)
            {
                var intervals = new string[rate.Intervals];
                for (var index = 0; index < intervals.Length; index++)
                {
                    intervals[index] = rate.Interval(index).ToString(System.Globalization.CultureInfo.InvariantCulture);
                }

                // One after the other, not on a grid: so each is a part, in order, and not sampled data.
                Add(null, null, "147240", null, measurement => measurement with { Parts = [.. intervals.Select(interval => new MeasuredPart(CodedConcept.OfMdc("147240"), new MeasuredValue.Quantity(interval, "ms")))] });
            }

            if (rate.Energy is { } energy)
            {
                Add(null, null, "8454263", new MeasuredValue.Quantity($"{energy}", "kJ"));
            }

            return true;
        }

        private bool BloodPressure()
        {
            if (!BloodPressureMeasurement.TryRead(message.Value, out var pressure))
            {
                return false;
            }

            var unit = pressure.IsKilopascal ? "kPa" : "mm[Hg]";
            List<MeasuredPart> parts = [new(CodedConcept.OfMdc("150021"), Number(pressure.Systolic, unit)), new(CodedConcept.OfMdc("150022"), Number(pressure.Diastolic, unit))];
            if (pressure.Mean.IsFinite)
            {
                parts.Add(new MeasuredPart(CodedConcept.OfMdc("150023"), Number(pressure.Mean, unit)));
            }

            var note = Noticed(pressure.Status);
            var isDoubtful = (pressure.Status & (BloodPressureStatus.BodyMovement | BloodPressureStatus.CuffTooLoose | BloodPressureStatus.ImproperPosition)) != 0;
            Add(pressure.Time, pressure.User, "150020", null, measurement => measurement with { Parts = parts, Note = note, Interpretations = isDoubtful ? [Status("questionable")] : [] });
            if (pressure.Pulse is { IsFinite: true } pulse)
            {
                Add(pressure.Time, pressure.User, "149546", Number(pulse, "/min"));
            }

            return true;
        }

        private bool Temperature()
        {
            if (!TemperatureMeasurement.TryRead(message.Value, out var temperature))
            {
                return false;
            }

            Add(temperature.Time, null, TemperatureTypes[(int)temperature.Type], Number(temperature.Value, temperature.IsFahrenheit ? "[degF]" : "Cel"));
            return true;
        }

        private bool BloodGlucose()
        {
            if (!GlucoseMeasurement.TryRead(message.Value, out var glucose))
            {
                return false;
            }

            GlucoseContext? context = null;
            if (message.Context.Length > 0)
            {
                if (!GlucoseContext.TryRead(message.Context, out var read))
                {
                    return false;
                }

                if (read.Sequence != glucose.Sequence)
                {
                    Issues.Add(MeasurementIssues.OtherContext());
                    return true;
                }

                context = read;
            }

            if (glucose.IsControl)
            {
                Issues.Add(MeasurementIssues.Control());
            }
            else if (glucose.Concentration is { } concentration)
            {
                Add(glucose, concentration, context);
            }
            else
            {
                Issues.Add(MeasurementIssues.NoValue("The record holds no concentration"));
            }

            return true;
        }

        private void Add(in GlucoseMeasurement glucose, GattNumber concentration, GlucoseContext? context)
        {
            var code = glucose.Type is > 0 and <= 9 ? GlucoseTypes[glucose.Type - 1] : "160020";
            var comparator = glucose.Status.HasFlag(GlucoseStatus.ResultTooHigh) ? ">" : glucose.Status.HasFlag(GlucoseStatus.ResultTooLow) ? "<" : null;
            var value = Number(concentration, glucose.IsMolar ? "mmol/L" : "mg/dL");
            value = value is MeasuredValue.Quantity quantity ? quantity with { Comparator = comparator } : value;
            var faults = glucose.Status & ~(GlucoseStatus.BatteryLow | GlucoseStatus.ResultTooHigh | GlucoseStatus.ResultTooLow | GlucoseStatus.TimeFault);
            var meal = context?.Meal is { } kind and > 0 and < 5 ? Meals[kind] : null;
            var notes = new[] { glucose.Status == GlucoseStatus.None ? null : $"Meter: {glucose.Status}", glucose.HasTimeFault ? "The meter's clock had a fault: the time is when the gateway received it." : null, Notes(context) };
            var measured = glucose;
            var complete = (Measurement measurement) => measurement with
            {
                Channel = $"{measured.Sequence}",
                Note = string.Join(" ", notes.OfType<string>()) is { Length: > 0 } note ? note : null,
                Interpretations = faults != 0 ? [Status("questionable")] : [],
                Parts = meal is null ? [] : [new MeasuredPart(CodedConcept.OfMdc("8417864"), new MeasuredValue.Concept(CodedConcept.OfMdc(meal)))],
            };
            if (glucose.HasTimeFault)
            {
                Add(null, null, code, value, complete);
                return;
            }

            Add(glucose.MeasuredAt, glucose.BaseTime.ToString(), null, code, value, complete);
        }

        private bool Continuous()
        {
            ReadOnlySpan<byte> rest = message.Value;
            while (!rest.IsEmpty)
            {
                var fault = ContinuousGlucose.TryRead(rest, out var record, out var length);
                if (fault == GattFault.Short)
                {
                    return false;
                }

                rest = rest[length..];
                if (fault == GattFault.Checksum)
                {
                    Issues.Add(MeasurementIssues.Checksum());
                }
                else if (message.SessionStart is not { } start)
                {
                    Issues.Add(MeasurementIssues.NoSession());
                }
                else
                {
                    Add(record, start.AddMinutes(record.Offset));
                }
            }

            return true;
        }

        private void Add(in ContinuousGlucose record, DateTimeOffset at)
        {
            var value = Number(record.Concentration, "mg/dL");
            value = value is MeasuredValue.Quantity quantity ? quantity with { Comparator = record.IsBelowSensor ? "<" : record.IsAboveSensor ? ">" : null } : value;
            List<MeasuredPart> parts = record.Trend is { IsFinite: true } trend ? [new MeasuredPart(CodedConcept.OfMdc("8418008"), Number(trend, "mg/dL/min"))] : [];
            var note = record.Quality is { IsFinite: true } quality ? $"Quality {quality} %." : null;
            Measurements.Add(New("160212", value, at, $"session +{record.Offset} min", null) with { Parts = parts, Note = note });
        }

        private bool Oximetry(bool isWhole, PulseOximetry oximetry)
        {
            if (!isWhole)
            {
                return false;
            }

            AddOximetry(oximetry, oximetry.Saturation, oximetry.Pulse, null, oximetry.IsContinuous ? null : "150588");
            if (oximetry is { FastSaturation: { } fast, FastPulse: { } fastPulse })
            {
                AddOximetry(oximetry, fast, fastPulse, "fast", "150580");
            }

            if (oximetry is { SlowSaturation: { } slow, SlowPulse: { } slowPulse })
            {
                AddOximetry(oximetry, slow, slowPulse, "slow", "150584");
            }

            if (oximetry.Perfusion is { IsFinite: true } perfusion)
            {
                Add(oximetry.Time, null, "150448", Number(perfusion, "%"));
            }

            return true;
        }

        private void AddOximetry(PulseOximetry oximetry, GattNumber saturation, GattNumber pulse, string? channel, string? modality)
        {
            var complete = (Measurement measurement) => measurement with
            {
                Value = oximetry.Status.HasFlag(OximetryStatus.Invalid) ? new MeasuredValue.Absent("error") : oximetry.Status.HasFlag(OximetryStatus.Unavailable) ? new MeasuredValue.Absent("not-performed") : measurement.Value,
                Status = oximetry.Status.HasFlag(OximetryStatus.EarlyEstimate) ? "preliminary" : "final",
                Interpretations = InterpretationsOf(oximetry.Status),
                IsTest = (oximetry.Status & (OximetryStatus.Demonstration | OximetryStatus.Testing)) != 0,
                Channel = channel,
                Parts = modality is null ? [] : [new MeasuredPart(CodedConcept.OfMdc("68193"), new MeasuredValue.Concept(CodedConcept.OfMdc(modality)))],
            };
            Add(oximetry.Time, null, "150456", Number(saturation, "%"), complete);
            Add(oximetry.Time, null, "149530", Number(pulse, "/min"), complete);
        }

        private bool Weight()
        {
            if (!WeightMeasurement.TryRead(message.Value, out var weight))
            {
                return false;
            }

            if (weight.Weight is not { } mass)
            {
                Issues.Add(MeasurementIssues.NoValue("No weight"));
                return true;
            }

            Add(weight.Time, weight.User, "188736", Number(mass, weight.IsImperial ? "[lb_av]" : "kg"));
            AddIfAny(weight.Time, weight.User, "188752", weight.BodyMassIndex, "kg/m2");
            AddIfAny(weight.Time, weight.User, "188740", weight.Height, weight.IsImperial ? "[in_i]" : "m");
            return true;
        }

        private bool Composition()
        {
            if (!BodyComposition.TryRead(message.Value, out var body))
            {
                return false;
            }

            if (body.FatPercentage is not { } fat)
            {
                Issues.Add(MeasurementIssues.NoValue("No body composition"));
                return true;
            }

            var mass = body.IsImperial ? "[lb_av]" : "kg";
            var others = new[]
            {
                body.BasalMetabolism is { } basal ? $"Basal metabolism {basal} kJ." : null, body.MusclePercentage is { } share ? $"Muscle {share} %." : null,
                body.MuscleMass is { } muscle ? $"Muscle mass {muscle} {mass}." : null, body.Impedance is { } impedance ? $"Impedance {impedance} Ohm." : null,
            };
            Add(body.Time, body.User, "188748", Number(fat, "%"), measurement => measurement with { Note = string.Join(" ", others.OfType<string>()) is { Length: > 0 } note ? note : null });
            AddIfAny(body.Time, body.User, "188756", body.FatFreeMass, mass);
            AddIfAny(body.Time, body.User, "188760", body.SoftLeanMass, mass);
            AddIfAny(body.Time, body.User, "188764", body.WaterMass, mass);
            AddIfAny(body.Time, body.User, "188736", body.Weight, mass);
            AddIfAny(body.Time, body.User, "188740", body.Height, body.IsImperial ? "[in_i]" : "m");
            return true;
        }

        private void AddIfAny(GattTime? time, byte? user, string mdc, GattNumber? number, string unit)
        {
            if (number is { } known)
            {
                Add(time, user, mdc, Number(known, unit));
            }
        }

        private void Add(GattTime? time, byte? user, string mdc, MeasuredValue? value, Func<Measurement, Measurement>? complete = null) =>
            Add(time is { IsKnown: true } known ? known.Value : null, time?.ToString() ?? "", user, mdc, value, complete);

        // Without a time of its own it was measured when the gateway heard it.
        private void Add(DateTime? time, string deviceTime, byte? user, string mdc, MeasuredValue? value, Func<Measurement, Measurement>? complete)
        {
            var at = time is { } clock ? message.Instant(clock) : message.ReceivedAt;
            if (at is null)
            {
                if (!Issues.Exists(issue => issue.Code == MeasurementIssues.NoZone().Code))
                {
                    Issues.Add(MeasurementIssues.NoZone());
                }

                return;
            }

            var measurement = New(mdc, value, at.Value, deviceTime, user) with { ClockOffset = time is null ? null : message.ClockOffset };
            Measurements.Add(complete is null ? measurement : complete(measurement));
        }

        private Measurement New(string mdc, MeasuredValue? value, DateTimeOffset at, string deviceTime, byte? user) => new()
        {
            Code = CodedConcept.OfMdc(mdc),
            DeviceIdentifier = message.DeviceId,
            PatientIdentifier = message.PatientHint,
            UserSlot = user ?? message.UserSlot,
            GatewayIdentifier = message.GatewayId,
            DeviceTime = deviceTime,
            Start = at,
            End = at,
            Value = value,
            Format = "gatt",
        };

        private static MeasuredValue Number(GattNumber number, string unit) => number.Kind switch
        {
            GattNumberKind.Finite => new MeasuredValue.Quantity(number.ToString(), unit),
            GattNumberKind.NotANumber => new MeasuredValue.Absent("not-a-number"),
            GattNumberKind.PositiveInfinity => new MeasuredValue.Absent("positive-infinity"),
            GattNumberKind.NegativeInfinity => new MeasuredValue.Absent("negative-infinity"),
            _ => new MeasuredValue.Absent("error"),
        };

        private static List<CodedConcept> InterpretationsOf(OximetryStatus status)
        {
            var found = new List<CodedConcept>();
            if (status.HasFlag(OximetryStatus.Questionable))
            {
                found.Add(Status("questionable"));
            }

            if (status.HasFlag(OximetryStatus.EarlyEstimate))
            {
                found.Add(Status("early-indication"));
            }

            if (status.HasFlag(OximetryStatus.CalibrationOngoing))
            {
                found.Add(Status("calibration-ongoing"));
            }

            return found;
        }

        private static CodedConcept Status(string code) => new("http://terminology.hl7.org/CodeSystem/measurement-status", code);

        private static string? Noticed(BloodPressureStatus status) => status == BloodPressureStatus.None ? null : $"Cuff: {status}.";

        private static string? Notes(GlucoseContext? context) => context is not { } known ? null : string.Join(" ", new[]
        {
            known.CarbohydrateAmount is { IsFinite: true } grams ? $"Carbohydrate {grams} g." : null,
            known.ExerciseSeconds is { } seconds ? $"Exercise {seconds} s at {known.ExerciseIntensity} %." : null,
            known.MedicationAmount is { IsFinite: true } dose ? $"Medication kind {known.Medication}: {dose} {(known.IsVolume ? "mL" : "mg")}." : null,
            known.HbA1c is { IsFinite: true } part ? $"HbA1c {part} %." : null,
        }.OfType<string>()) is { Length: > 0 } text ? text : null;
    }
}
