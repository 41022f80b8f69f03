using System.Globalization;

namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>
/// Reads a stream of FLAC (RFC 9639) block by block. It holds one block; a stream that is none, or was changed, ends with <see cref="Problem"/>. Nothing but reading the file throws.
/// </summary>
internal sealed class FlacDecoder(Stream stream) : IDisposable
{
    private readonly FlacBits _bits = new(stream);
    private FlacDigest? _digest;
    private long[] _block = [];
    private FlacFrameHeader? _last;
    private long _read;
    private bool _isOver;

    /// <summary>What the stream says of itself, once it was asked.</summary>
    public FlacStreamInfo? Info { get; private set; }

    /// <summary>Samples of each channel in the block.</summary>
    public int BlockSize { get; private set; }

    public FlacProblem? Problem => _bits.Problem;

    /// <summary>The samples of one channel in the block.</summary>
    public ReadOnlySpan<long> ChannelOf(int channel) => _block.AsSpan(channel * BlockSize, BlockSize);

    /// <summary>Reads what stands before the first block; false when it is no stream that can be read.</summary>
    public bool TryOpen()
    {
        Info = FlacStreamInfo.Read(_bits);
        _digest = Info is null ? null : new FlacDigest(Info);
        return Info is not null;
    }

    /// <summary>Reads the next block; false at the end, and where there is none.</summary>
    public bool TryReadBlock()
    {
        BlockSize = 0;
        if (_isOver || Info is null || Problem is not null)
        {
            return false;
        }

        if (!_bits.BeginFrame())
        {
            return End(Info);
        }

        if (FlacFrameHeader.Read(_bits) is not { } header || !Follows(Info, header) || !ReadChannels(Info, header))
        {
            return false;
        }

        _bits.Align();
        var crc = _bits.FrameCrc();
        if (_bits.Read(16) != crc)
        {
            return _bits.Refuse("has a frame that was changed");
        }

        return Take(Info, header);
    }

    public void Dispose()
    {
        _digest?.Dispose();
        _bits.Dispose();
    }

    // A frame must be the stream's: not one of another stream, not the next but one.
    private bool Follows(FlacStreamInfo info, FlacFrameHeader header)
    {
        if (header.Channels != info.Channels || (header.Bits ?? info.Bits) != info.Bits)
        {
            return _bits.Refuse("has other channels or bits from one frame on", isUnknown: true);
        }

        if (header.BlockSize > info.MaxBlockSize)
        {
            return _bits.Refuse($"has a block of {header.BlockSize} samples, and says {info.MaxBlockSize} of itself");
        }

        return _last is not { } last || (last.IsVariable == header.IsVariable && header.Number - last.Number == (header.IsVariable ? (ulong)last.BlockSize : 1))
            || _bits.Refuse("has frames that do not follow each other");
    }

    private bool ReadChannels(FlacStreamInfo info, FlacFrameHeader header)
    {
        var size = header.BlockSize;
        if (_block.Length < size * info.Channels)
        {
            _block = new long[size * info.Channels];
        }

        for (var channel = 0; channel < info.Channels; channel++)
        {
            // The difference of two channels has one bit more than they.
            var isSide = header.Stereo != FlacStereo.None && channel == (header.Stereo == FlacStereo.SideAndRight ? 0 : 1);
            if (!FlacSubframe.Read(_bits, _block.AsSpan(channel * size, size), info.Bits + (isSide ? 1 : 0)))
            {
                return false;
            }
        }

        FlacChannels.Restore(_block.AsSpan(0, size), _block.AsSpan(size * (info.Channels - 1), size), header.Stereo);
        var half = 1L << (info.Bits - 1);
        return !_block.AsSpan(0, size * info.Channels).ContainsAnyExceptInRange(-half, half - 1) || _bits.Refuse($"has samples of more than {info.Bits} bits");
    }

    private bool Take(FlacStreamInfo info, FlacFrameHeader header)
    {
        (_last, _read) = (header, _read + header.BlockSize);
        _digest!.Add(_block.AsSpan(0, header.BlockSize * info.Channels));
        if (info.Samples > 0 && _read >= info.Samples)
        {
            End(info);
        }

        BlockSize = Problem is null ? header.BlockSize : 0;
        return Problem is null;
    }

    // What stands behind the last sample is no part of the stream.
    private bool End(FlacStreamInfo info)
    {
        _isOver = true;
        return info.Samples > 0 && info.Samples != _read ? _bits.Refuse(string.Create(CultureInfo.InvariantCulture, $"has {_read} samples, and says {info.Samples} of itself"))
            : !_digest!.IsRight() && _bits.Refuse("has other samples than were written to it");
    }
}
