namespace FhirIomt.Ingest.HealthExport;

/// <summary>The metadata of one entry: keys with values, each key once, by what stands first.</summary>
internal sealed class Metadata
{
    /// <summary>An entry of Apple has some ten; each is compared with those before it.</summary>
    public const int Most = 1000;

    private readonly EnvelopeText _members = new();
    private readonly EnvelopeText _key = new();
    private readonly EnvelopeText _value = new();
    private readonly List<(int Start, int Length)> _keys = [];
    private bool _hasKey;

    public void Clear()
    {
        _members.Length = 0;
        _keys.Clear();
    }

    public void Begin() => (_key.Length, _value.Length, _hasKey) = (0, 0, false);

    public void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("key"u8))
        {
            _hasKey = true;
            _key.Attribute(value);
        }
        else if (name.SequenceEqual("value"u8))
        {
            _value.Attribute(value);
        }
    }

    /// <summary>Takes the entry in; false when there are too many.</summary>
    public bool TryEnd()
    {
        if (!_hasKey || IsKnown(_key.Written))
        {
            return true;
        }

        _keys.Add((_members.Length + 1, _key.Length));
        _members.Member(_key.Written, _value.Written, isPlain: true);
        return _keys.Count <= Most;
    }

    /// <summary><c>"metadata":{…},</c> where there are any.</summary>
    public void WriteTo(EnvelopeText json)
    {
        if (_keys.Count > 0)
        {
            json.Append("\"metadata\":{"u8);
            json.Append(_members.Written);
            json.Close("},"u8);
        }
    }

    private bool IsKnown(ReadOnlySpan<byte> key)
    {
        foreach (var (start, length) in _keys)
        {
            if (length == key.Length && _members.Written.Slice(start, length).SequenceEqual(key))
            {
                return true;
            }
        }

        return false;
    }
}
