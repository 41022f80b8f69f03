using System.Numerics;

namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>
/// The bits of a stream, the highest of each byte first. Whoever reads beyond the end gets zeros, and finds <see cref="Problem"/> when he asks: so that nobody has to ask for each bit.
/// </summary>
internal sealed class FlacBits(Stream stream) : IDisposable
{
    // Sync code, two bytes of codes, a number of seven bytes, a block size and a rate of two, the check: what the longest header of a frame has.
    private const int MaxHeaderBytes = 16;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _next;
    private int _end;

    // The low so many bits of the cache were fetched and not given out; never a whole byte more than was asked for, so that a frame ends where the buffer is.
    private ulong _cache;
    private int _count;

    // What of the buffer stands in the frame, and is not in its check yet.
    private int _frame;
    private ushort _crc;

    public FlacProblem? Problem { get; private set; }

    /// <summary>Notes why the stream is not read on, unless there was a reason before; false, for the caller to answer.</summary>
    public bool Refuse(string what, bool isUnknown = false)
    {
        Problem ??= new FlacProblem(what, isUnknown);
        return false;
    }

    /// <summary>Begins a frame; false at the end of the stream.</summary>
    public bool BeginFrame()
    {
        if (_end - _next < MaxHeaderBytes)
        {
            // Its header stands in one piece then.
            _buffer.AsSpan(_next, _end - _next).CopyTo(_buffer);
            (_next, _end) = (0, _end - _next);
            _end += stream.ReadAtLeast(_buffer.AsSpan(_end), MaxHeaderBytes - _end, throwOnEndOfStream: false);
        }

        (_frame, _crc, _count) = (_next, 0, 0);
        return _next < _end;
    }

    /// <summary>Of the header of the frame, as far as it was read.</summary>
    public byte HeaderCrc() => FlacCrc.Of8(_buffer.AsSpan(_frame, _next - _frame));

    /// <summary>Of the frame, as far as it was read.</summary>
    public ushort FrameCrc()
    {
        _crc = FlacCrc.Of16(_crc, _buffer.AsSpan(_frame, _next - _frame));
        _frame = _next;
        return _crc;
    }

    /// <summary>Leaves the rest of the byte.</summary>
    public void Align() => _count = 0;

    /// <param name="count">Up to 40.</param>
    public ulong Read(int count)
    {
        while (_count < count)
        {
            _cache = (_cache << 8) | Fetch();
            _count += 8;
        }

        _count -= count;
        return (_cache >> _count) & ((1UL << count) - 1);
    }

    /// <summary>In two's complement.</summary>
    /// <param name="count">From 1 to 40.</param>
    public long ReadSigned(int count) => (long)(Read(count) << (64 - count)) >> (64 - count);

    /// <summary>How many zeros stand before the next one, which is read too.</summary>
    /// <param name="most">More than these are no number here.</param>
    public ulong ReadUnary(ulong most)
    {
        ulong zeros = 0;
        while (zeros <= most && Problem is null)
        {
            if (_count == 0)
            {
                (_cache, _count) = (Fetch(), 8);
            }

            var leading = BitOperations.LeadingZeroCount(_cache << (64 - _count));
            if (leading < _count)
            {
                _count -= leading + 1;
                zeros += (ulong)leading;
                break;
            }

            zeros += (ulong)_count;
            _count = 0;
        }

        if (zeros > most)
        {
            Refuse("has a difference that is out of all bounds");
        }

        return zeros;
    }

    /// <summary>Passes over whole bytes.</summary>
    public void Skip(int bytes)
    {
        while (bytes > 0 && Problem is null)
        {
            if (_next == _end)
            {
                Fetch();
                bytes--;
                continue;
            }

            var here = Math.Min(bytes, _end - _next);
            _next += here;
            bytes -= here;
        }
    }

    public void Dispose() => stream.Dispose();

    private byte Fetch()
    {
        if (_next == _end && !Refill())
        {
            return 0;
        }

        return _buffer[_next++];
    }

    private bool Refill()
    {
        if (Problem is not null)
        {
            return false;
        }

        FrameCrc();
        (_next, _frame, _end) = (0, 0, stream.Read(_buffer));
        return _end > 0 || Refuse("ends in the middle");
    }
}
