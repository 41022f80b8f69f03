using System.Buffers;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>
/// The rows that a path found, in order. Starts on the caller's stack and goes to the array pool only when a message has more matches
/// than that, so that the usual message allocates nothing here.
/// </summary>
internal ref struct RowBuffer(Span<int> initial, int limit)
{
    private Span<int> _rows = initial;
    private int[]? _rented;

    public int Count { get; private set; }

    public readonly int this[int index] => _rows[index];

    /// <summary>Adds a row; false says that the limit is reached and nobody need look further.</summary>
    public bool Add(int row)
    {
        if (Count == _rows.Length)
        {
            Grow();
        }

        _rows[Count++] = row;
        return Count < limit;
    }

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<int>.Shared.Return(_rented);
            _rented = null;
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<int>.Shared.Rent(Math.Max(16, _rows.Length * 2));
        _rows[..Count].CopyTo(larger);
        Dispose();
        _rented = larger;
        _rows = larger;
    }
}
