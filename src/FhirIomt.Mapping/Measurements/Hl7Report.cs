using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Ingest.Hl7;

namespace FhirIomt.Mapping.Measurements;

/// <summary>One message while its readings are made.</summary>
internal sealed class Hl7Report(Hl7Message message, TimeZoneInfo? zone)
{
    private const string BloodPressure = "150020";

    // MSH-11: anything but production is nobody's data to treat by.
    private readonly bool _isTest = message.Header[11].Component(1).Text is "D" or "T";
    private readonly List<Issue> _issues = [];
    private readonly string? _patient = PatientOf(message);
    private readonly string? _gateway = GatewayOf(message);

    // The devices of one group, by the system at the top and by whoever names one first.
    private readonly Dictionary<string, string> _systems = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _firstOf = new(StringComparer.Ordinal);
    private List<Hl7Observation>? _devicesOf;
    private (DateTimeOffset Start, DateTimeOffset End, string Text)? _time;

    public MapResult Observations()
    {
        var readings = new List<MappedReading>();
        foreach (var group in Groups())
        {
            var pressures = new Dictionary<(string Top, DateTimeOffset At), List<(Hl7Observation Observation, Measurement Measurement)>>();
            var hasFacets = group.Exists(static one => one.Depth > 4 || (one.Depth == 4 && one.IsAttribute));
            var facets = hasFacets ? group.Where(one => one.Depth > 4 || (one.Depth == 4 && one.IsAttribute)).ToLookup(one => one.Depth > 4 ? one.Parent : one.Path, StringComparer.Ordinal) : null;
            foreach (var observation in group.Where(one => !one.IsContainment && !one.IsAttribute && !IsFacet(one, group) && !Hl7DeviceStatus.IsOne(one)))
            {
                if (MeasurementOf(observation, group, facets is null ? [] : [.. facets[observation.Path]]) is not { } measurement)
                {
                    continue;
                }

                if (PressurePart(measurement.Code) is not null)
                {
                    var key = (observation.Top, measurement.Start);
                    pressures.TryAdd(key, []);
                    pressures[key].Add((observation, measurement));
                    continue;
                }

                readings.Add(new MeasurementReading(measurement));
            }

            readings.AddRange(pressures.Values.Select(parts => new MeasurementReading(Joined(parts))));
            readings.AddRange(group.Where(Hl7DeviceStatus.IsOne).Select(one => StatusOf(one, group)).OfType<Measurement>().Select(status => new MeasurementReading(status)));
        }

        if (readings.Count == 0 && _issues.Count == 0)
        {
            _issues.Add(MeasurementIssues.NothingMeasured());
        }

        return new MapResult(readings, _issues);
    }

    public MapResult Alarms()
    {
        var readings = new List<MappedReading>();
        foreach (var group in Groups())
        {
            if (Hl7Alarm.Read(group, _patient, DeviceOf(group[0], group), zone, _isTest).TryGetValue(out var alarm, out var issues))
            {
                readings.Add(new AlarmReading(alarm));
            }
            else
            {
                _issues.AddRange(issues);
            }
        }

        return new MapResult(readings, _issues);
    }

    private IEnumerable<List<Hl7Observation>> Groups()
    {
        List<Hl7Observation>? group = null;
        Hl7Segment? obr = null;
        foreach (var segment in message.Segments)
        {
            if (segment.Is("OBR"))
            {
                if (group is { Count: > 0 })
                {
                    yield return group;
                }

                (group, obr) = ([], segment);
            }
            else if (segment.Is("OBX") && group is not null)
            {
                group.Add(new Hl7Observation(segment, obr!));
            }
        }

        if (group is { Count: > 0 })
        {
            yield return group;
        }
    }

    // Deeper than a metric that is there itself; vendors put their own number as the fifth node of what is a metric.
    private static bool IsFacet(Hl7Observation observation, List<Hl7Observation> group) =>
        observation.Depth > 4 && group.Exists(other => other.Path == observation.Parent && !other.IsContainment && !other.IsAttribute);

    private Measurement? MeasurementOf(Hl7Observation observation, List<Hl7Observation> group, IReadOnlyList<Hl7Observation> facets)
    {
        if (observation.Concept() is not { } code)
        {
            return Issue(MeasurementIssues.NoCode(observation.Obx[1].Text));
        }

        var flags = Hl7Flags.Of(observation.Obx[8]);
        if (flags.Status(observation.Status) is not { } status)
        {
            return null;
        }

        if (TimeOf(observation) is not { } time)
        {
            return null;
        }

        var value = Hl7ValueReader.Read(observation, flags, facets);
        if (value is null)
        {
            return Issue(MeasurementIssues.BadValue(observation.Obx[1].Text, observation.Type));
        }

        return new Measurement
        {
            Code = code,
            Translations = observation.Translation() is { } other && other.System.Length > 0 ? [other] : [],
            DeviceIdentifier = DeviceOf(observation, group),
            PatientIdentifier = _patient,
            GatewayIdentifier = _gateway,
            DeviceTime = time.Text,
            Start = time.Start,
            End = value is MeasuredValue.Samples samples ? EndOf(time.Start, samples) : time.End,
            Value = value,
            Parts = PartsOf(facets),
            Channel = observation.Path.Length == 0 ? null : observation.Path,
            Status = status,
            Interpretations = flags.Interpretations,
            IsTest = _isTest || flags.IsTest,
            Limits = LimitsOf(observation.Obx[7]),
            Method = Hl7Observation.ConceptOf(observation.Obx[17], 1),
            BodySite = Hl7Observation.ConceptOf(observation.Obx[20], 1),
            Format = "hl7v2",
        };
    }

    // A battery that cannot be read is told of, but is no reason for anybody's measurements to wait.
    private Measurement? StatusOf(Hl7Observation observation, List<Hl7Observation> group)
    {
        var (flags, told) = (Hl7Flags.Of(observation.Obx[8]), _issues.Count);
        if (observation.Value.IsEmpty || flags.AbsentReason is not null || flags.Status(observation.Status) is not { } status)
        {
            return null;
        }

        if (TimeOf(observation) is not { } time || Hl7DeviceStatus.Read(observation, flags) is not { } value)
        {
            _issues.RemoveRange(told, _issues.Count - told);
            return Issue(MeasurementIssues.BadDeviceStatus(observation.Obx[1].Text));
        }

        return new Measurement
        {
            Code = observation.Concept()!.Value,
            DeviceIdentifier = DeviceOf(observation, group),
            PatientIdentifier = _patient,
            GatewayIdentifier = _gateway,
            DeviceTime = time.Text,
            Start = time.Start,
            End = time.End,
            Value = value,
            Channel = observation.Path.Length == 0 ? null : observation.Path,
            Status = status,
            Interpretations = flags.Interpretations,
            IsTest = _isTest || flags.IsTest,
            IsOfDevice = true,
            Format = "hl7v2",
        };
    }

    private Measurement? Issue(Issue issue)
    {
        _issues.Add(issue);
        return null;
    }

    // OBX-14 is of an episode; without it a metric was sampled at the time of its OBR.
    private (DateTimeOffset Start, DateTimeOffset End, string Text)? TimeOf(Hl7Observation observation)
    {
        var own = observation.Obx[14];
        var field = !own.IsEmpty ? own : observation.Obr[7];
        if (field.IsEmpty)
        {
            _issues.Add(MeasurementIssues.NoTime(observation.Obx[1].Text));
            return null;
        }

        // Thirty values of one moment say it thirty times.
        if (_time is { } same && field.Component(1).Raw.SequenceEqual(same.Text))
        {
            return same;
        }

        if (!Hl7Time.TryParse(field.Component(1).Raw, out var start))
        {
            _issues.Add(MeasurementIssues.BadHl7Time(observation.Obx[1].Text));
            return null;
        }

        if (start.Instant(zone) is not { } instant)
        {
            _issues.Add(MeasurementIssues.NoZone());
            return null;
        }

        // OBR-8 is the end of the report's window; only sums have one, and they say it by their own facets.
        _time = (instant, instant, field.Component(1).Text);
        return _time;
    }

    private static DateTimeOffset EndOf(DateTimeOffset start, MeasuredValue.Samples samples)
    {
        var count = samples.Data.AsSpan().Count(' ');
        var period = decimal.Parse(samples.Period, System.Globalization.CultureInfo.InvariantCulture);
        return start.AddTicks((long)(count * period * TimeSpan.TicksPerMillisecond));
    }

    // The system that stands at the bed is what is assigned to a patient; its modules go with it. The identifier may stand on the first OBX only, or nowhere but in MSH-3.
    private string DeviceOf(Hl7Observation observation, List<Hl7Observation> group)
    {
        if (!ReferenceEquals(group, _devicesOf))
        {
            _devicesOf = group;
            _systems.Clear();
            _firstOf.Clear();
            foreach (var one in group.Where(one => one.Device is not null))
            {
                _firstOf.TryAdd(one.Top, one.Device!);
                if (one.Depth == 1)
                {
                    _systems.TryAdd(one.Top, one.Device!);
                }
            }
        }

        return _systems.GetValueOrDefault(observation.Top) ?? observation.Device ?? _firstOf.GetValueOrDefault(observation.Top) ?? _gateway ?? "";
    }

    /// <summary>MSH-3: the sending application by its universal id, or by its name.</summary>
    private static string? GatewayOf(Hl7Message message) => message.Header[3].Component(2).TextOrNull is { } universal && message.Header[3].Component(3).Text.Length > 0 ? universal : message.Header[3].Component(1).TextOrNull;

    private static string? PatientOf(Hl7Message message)
    {
        foreach (var segment in message.Segments)
        {
            if (segment.Is("PID"))
            {
                for (var number = 1; number <= segment[3].Repetitions; number++)
                {
                    var id = segment[3].Repetition(number).Component(1).Text;
                    if (id.Length > 0 && !id.StartsWith("unknown", StringComparison.OrdinalIgnoreCase))
                    {
                        return id;
                    }
                }
            }
        }

        return null;
    }

    private static List<MeasuredPart> PartsOf(IReadOnlyList<Hl7Observation> facets)
    {
        var parts = new List<MeasuredPart>();
        foreach (var facet in facets)
        {
            if (facet.Concept() is { System: CodedConcept.Mdc } code && code.Display is not ("MDC_ATTR_SAMP_RATE" or "MDC_ATTR_NU_MSMT_RES")
                && Hl7ValueReader.Read(facet, Hl7Flags.Of(facet.Obx[8]), []) is { } value)
            {
                parts.Add(new MeasuredPart(code, value));
            }
        }

        return parts;
    }

    // "90-110", or one side of it.
    private (string? Low, string? High)? LimitsOf(Hl7Value limits)
    {
        if (limits.IsEmpty)
        {
            return null;
        }

        ReadOnlySpan<char> text = limits.Raw.Contains(message.Separators.Escape) ? limits.Text : limits.Raw.Trim();
        var dash = text[Math.Min(1, text.Length)..].IndexOf('-') + 1;
        var (low, high) = dash == 0 ? (null, null) : (Hl7ValueReader.Number(text[..dash].Trim()), Hl7ValueReader.Number(text[(dash + 1)..].Trim()));
        return low is null && high is null ? null : (low, high);
    }

    private static string? PressurePart(CodedConcept code) => (code.System, code.Code) switch
    {
        (CodedConcept.Mdc, "150021" or "150022" or "150023") => code.Code,
        (CodedConcept.Loinc, "8480-6") => "150021",
        (CodedConcept.Loinc, "8462-4") => "150022",
        (CodedConcept.Loinc, "8478-0") => "150023",
        _ => null,
    };

    // Systolic, diastolic and mean of one moment are one blood pressure.
    private static Measurement Joined(List<(Hl7Observation Observation, Measurement Measurement)> parts)
    {
        var first = parts[0].Measurement;
        var isLoinc = first.Code.System == CodedConcept.Loinc;
        var found = parts.DistinctBy(part => PressurePart(part.Measurement.Code), StringComparer.Ordinal).ToDictionary(part => PressurePart(part.Measurement.Code)!, part => part.Measurement.Value!, StringComparer.Ordinal);
        found.TryAdd("150021", new MeasuredValue.Absent("unknown"));
        found.TryAdd("150022", new MeasuredValue.Absent("unknown"));
        return first with
        {
            Code = isLoinc ? new CodedConcept(CodedConcept.Loinc, "85354-9") : CodedConcept.OfMdc(BloodPressure),
            Translations = [],
            Value = null,
            Limits = null,
            Channel = parts[0].Observation.Top is { Length: > 0 } top ? top : null,
            Interpretations = [.. parts.SelectMany(part => part.Measurement.Interpretations).Distinct()],
            IsTest = parts.Exists(part => part.Measurement.IsTest),
            Parts = [.. found.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => new MeasuredPart(isLoinc ? LoincPart(part.Key) : CodedConcept.OfMdc(part.Key), part.Value))],
        };
    }

    private static CodedConcept LoincPart(string mdc) => new(CodedConcept.Loinc, CodeTable.Standard.Find(mdc)!.Loinc[0]);
}
