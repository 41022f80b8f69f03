using System.Buffers;
using System.Globalization;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>One Observation of a window while readings are put into it.</summary>
internal sealed class WindowChunk : IObservationValues
{
    private readonly ReadingPlan _plan;
    private readonly WindowContent _before;
    private readonly WindowMemory _memory;
    private readonly bool _grows;

    // Series -1 stands at 0. Sampled ones have a grid, others the JSON of their value.
    private readonly SampleGrid?[] _grids;
    private readonly byte[]?[] _values;
    private readonly bool _isRemembered;
    private DateTimeOffset _start;
    private DateTimeOffset _end;
    private bool _isChanged;
    private bool _isClosed;

    public WindowChunk(SourceKey key, ReadingPlan plan, WindowContent before, DateTimeOffset start, DateTimeOffset end, bool grows)
    {
        (Key, _plan, _before, _grows) = (key, plan, before, grows);
        var root = before.Resource;
        (_start, _end) = (TimeOf(root["effectivePeriod"u8]["start"u8]) ?? start, TimeOf(root["effectivePeriod"u8]["end"u8]) ?? end);
        _memory = WindowMemory.Read(before.Memory) ?? new WindowMemory(_start.UtcTicks);
        _isRemembered = !before.Memory.IsEmpty;
        _grids = new SampleGrid?[plan.Components.Length + 1];
        _values = new byte[]?[plan.Components.Length + 1];
        for (var series = -1; series < plan.Components.Length; series++)
        {
            Load(series, root);
        }
    }

    public SourceKey Key { get; }

    /// <summary>Ticks where the grid began.</summary>
    public long Anchor => _memory.Anchor;

    // A resource that was there before our memory of it was written by the connector.
    private bool IsConnectors => _before.Resource.Exists && !_isRemembered;

    public WindowPlace Take(ObservationReading reading)
    {
        var isHeld = _memory.Holds(reading.Time);
        if (_before.IsDeleted)
        {
            return isHeld ? WindowPlace.Known : WindowPlace.Apart;
        }

        if (isHeld && _isClosed)
        {
            return WindowPlace.Known;
        }

        if (!isHeld && !IsFree(reading))
        {
            return WindowPlace.Apart;
        }

        if (!isHeld)
        {
            _memory.Add(reading.Time);
            Grow(reading.Time);
        }

        var isNew = !isHeld && !IsConnectors;
        for (var series = -1; series < _plan.Components.Length; series++)
        {
            isNew |= Put(reading, series);
        }

        _isChanged |= isNew;
        return !isNew ? WindowPlace.Known : isHeld ? WindowPlace.Changed : WindowPlace.Taken;
    }

    public void Save(in ResolvedReading resolved, IWindowShelf shelf)
    {
        if (_before.IsDeleted)
        {
            return;
        }

        if (!_isChanged)
        {
            // Readings that the connector had stored were met again: remember their moments.
            if (IsConnectors)
            {
                shelf.Put(Key, null, _memory.Write());
            }

            return;
        }

        var output = new ArrayBufferWriter<byte>(2048);
        ObservationJson.Write(output, _plan, resolved with { Key = Key, Amended = _before.Resource.Exists }, _start, _end, this);
        shelf.Put(Key, JsonTree.Parse(output.WrittenMemory).Require(), _memory.Write());
    }

    public bool Has(int series) => _grids[series + 1] is { IsEmpty: false } || _values[series + 1] is not null;

    public void Write(in ResourceOutput json, int series)
    {
        if (_grids[series + 1] is not { } grid)
        {
            json.Raw(_values[series + 1]);
            return;
        }

        var value = ValueOf(series);
        json.Raw(value.Before);
        json.Text(grid.ToString(_start, _end));
        json.Raw(value.After);
    }

    private FhirValue ValueOf(int series) => series < 0 ? _plan.Value!.Value : _plan.Components[series].Value;

    private void Load(int series, ResourceNode root)
    {
        if (series < 0 && _plan.Value is null)
        {
            return;
        }

        var value = ValueOf(series);
        var element = series < 0 ? root : ComponentOf(root, value.Name);
        if (value.Kind == FhirValueKind.Samples)
        {
            LoadGrid(series, value.SamplePeriod, element["valueSampledData"u8]);
            return;
        }

        foreach (var member in element.Exists ? element.Children : default)
        {
            if (member.NameSpan.StartsWith("value"u8))
            {
                _values[series + 1] = [(byte)'"', .. member.NameSpan, .. "\":"u8, .. member.RawSpan];
            }
        }
    }

    // What was stored with another period is put onto the template's grid where that is finer; a coarser one would lose samples, so nothing more is put in.
    private void LoadGrid(int series, TimeSpan period, ResourceNode stored)
    {
        var data = stored["data"u8].AsString();
        var was = decimal.TryParse(stored["period"u8].AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond))
            : period;
        if (was == period || was <= TimeSpan.Zero || _plan.Has(ConnectorDefects.SlotsOverwritten))
        {
            _grids[series + 1] = new SampleGrid(period, _start, data);
            return;
        }

        _isClosed |= was.Ticks % period.Ticks != 0;
        var grid = new SampleGrid(period, _start, null);
        var time = _start;
        foreach (var token in (data ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            grid.Set(time, token);
            time += was;
        }

        _grids[series + 1] = grid;
    }

    private bool IsFree(ObservationReading reading)
    {
        if (_isClosed)
        {
            return false;
        }

        for (var series = -1; series < _plan.Components.Length; series++)
        {
            if (reading.Has(series) && !IsFree(reading, series))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsFree(ObservationReading reading, int series)
    {
        if (_grids[series + 1] is { } grid)
        {
            var held = grid.At(reading.Time);
            return held == SampleGrid.Nothing || _plan.Has(ConnectorDefects.SlotsOverwritten) || (IsConnectors && held == reading.Sample(series));
        }

        return _values[series + 1] is not { } value || _plan.Has(ConnectorDefects.WindowKeepsLast) || (IsConnectors && value.AsSpan().SequenceEqual(JsonOf(reading, series)));
    }

    private bool Put(ObservationReading reading, int series)
    {
        if (!reading.Has(series))
        {
            return false;
        }

        if (_grids[series + 1] is { } grid)
        {
            return grid.Set(reading.Time, reading.Sample(series)!);
        }

        var json = JsonOf(reading, series);
        var isNew = _values[series + 1] is not { } before || !before.AsSpan().SequenceEqual(json);
        _values[series + 1] = json;
        return isNew;
    }

    private void Grow(DateTimeOffset time)
    {
        if (!_grows)
        {
            return;
        }

        if (time < _start)
        {
            // Onto the coarsest grid, so that no sample moves; the connector moves the grid to the new reading.
            var step = _plan.Has(ConnectorDefects.SlotsOverwritten) ? 1 : _grids.Max(grid => grid?.Period.Ticks ?? 1);
            var back = (_start.UtcTicks - time.UtcTicks + step - 1) / step * step;
            _start -= TimeSpan.FromTicks(back);
            foreach (var grid in _grids)
            {
                grid?.MoveStart(_start);
            }
        }

        _end = time > _end ? time : _end;
    }

    private static byte[] JsonOf(ObservationReading reading, int series)
    {
        var output = new ArrayBufferWriter<byte>(128);
        reading.Write(new ResourceOutput(output), series);
        return output.WrittenSpan.ToArray();
    }

    // By the coding that carries the value's name, as the connector finds them.
    private static ResourceNode ComponentOf(ResourceNode root, string name)
    {
        foreach (var component in root["component"u8].Children)
        {
            foreach (var coding in component["code"u8]["coding"u8].Children)
            {
                if (coding["system"u8].AsString() == FhirJson.ConnectorSystem && coding["code"u8].AsString() == name)
                {
                    return component;
                }
            }
        }

        return default;
    }

    private static DateTimeOffset? TimeOf(ResourceNode node) =>
        DateTimeOffset.TryParse(node.AsString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
}
