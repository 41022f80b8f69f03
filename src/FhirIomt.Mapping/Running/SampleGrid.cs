namespace FhirIomt.Mapping.Running;

/// <summary>The tokens of a SampledData, one slot for each period after the start.</summary>
internal sealed class SampleGrid
{
    /// <summary>The token of a slot without reading.</summary>
    public const string Nothing = "E";

    private readonly List<string> _tokens;
    private DateTimeOffset _start;

    public SampleGrid(TimeSpan period, DateTimeOffset start, string? data)
    {
        (Period, _start) = (period, start);
        _tokens = data is null ? [] : [.. data.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }

    public TimeSpan Period { get; }

    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>The token that holds a moment; <see cref="Nothing"/> where none does.</summary>
    public string At(DateTimeOffset time) => SlotOf(time) is var slot && slot >= 0 && slot < _tokens.Count ? _tokens[slot] : Nothing;

    /// <summary>Whether the token is another one than before.</summary>
    public bool Set(DateTimeOffset time, string token)
    {
        var slot = SlotOf(time);
        while (_tokens.Count <= slot)
        {
            _tokens.Add(Nothing);
        }

        var isNew = _tokens[slot] != token;
        _tokens[slot] = token;
        return isNew;
    }

    /// <summary>Begins earlier. Samples keep their times when the step is a multiple of the period, and else go to the slot below; the last one wins there.</summary>
    public void MoveStart(DateTimeOffset start)
    {
        var before = _tokens.ToArray();
        var oldStart = _start;
        _tokens.Clear();
        _start = start;
        for (var i = 0; i < before.Length; i++)
        {
            if (before[i] != Nothing)
            {
                Set(oldStart + (Period * i), before[i]);
            }
        }
    }

    /// <summary>All slots from start to end, inclusive.</summary>
    public string ToString(DateTimeOffset start, DateTimeOffset end)
    {
        var count = (int)Math.Max(_tokens.Count, ((end - start).Ticks / Period.Ticks) + 1);
        return string.Join(' ', _tokens.Concat(Enumerable.Repeat(Nothing, count - _tokens.Count)));
    }

    private int SlotOf(DateTimeOffset time) => (int)Math.Floor((decimal)(time.UtcTicks - _start.UtcTicks) / Period.Ticks);
}
