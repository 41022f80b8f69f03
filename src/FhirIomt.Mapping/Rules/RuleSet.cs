using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>The rules of a FhirIomt mapping, with the index that finds those a message can match.</summary>
internal sealed class RuleSet(IReadOnlyList<Rule> rules, IReadOnlyList<RuleCheck> checks, TimeZoneInfo? zone, IReadOnlyList<ReadOnlyMemory<byte>> samples)
{
    private readonly TextIndex? _texts = TextIndex.For([.. rules.Select(rule => rule.Match)]);
    private readonly TemplateIndex? _index = TemplateIndex.For([.. rules.Select(rule => rule.Match.RequiredNames.ToArray())]);

    public IReadOnlyList<Rule> Rules => rules;

    public TimeZoneInfo? Zone => zone;

    /// <summary>Messages that the mapping brings to be tried with.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Samples => samples;

    /// <summary>Answers how many places the rules matched, those that ignore what they match among them. A message that fails a check yields nothing.</summary>
    public int Run(JsonTree message, TimeZoneInfo? deviceZone, IssueSink issues, List<RuleReading> readings)
    {
        if (checks.Count > 0 && checks.Sum(check => check.Run(message, issues)) > 0)
        {
            return 1;
        }

        Span<ulong> candidates = rules.Count <= 256 ? stackalloc ulong[4] : new ulong[(rules.Count + 63) / 64];
        candidates = candidates[..((rules.Count + 63) / 64)];
        FindCandidates(message, candidates);
        var matches = 0;
        for (var i = 0; i < rules.Count; i++)
        {
            if ((candidates[i / 64] & (1UL << (i % 64))) != 0)
            {
                matches += rules[i].Run(message, deviceZone ?? zone, issues, readings);
            }
        }

        return matches;
    }

    private void FindCandidates(JsonTree message, Span<ulong> candidates)
    {
        if (_texts is not null)
        {
            _texts.Find(message.Root, candidates);
        }
        else if (_index is not null)
        {
            _index.Find(message.Root, candidates);
        }
        else
        {
            candidates.Fill(ulong.MaxValue);
        }
    }
}
