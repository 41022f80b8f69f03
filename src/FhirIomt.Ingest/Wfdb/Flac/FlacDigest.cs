using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>The MD5 of all samples, as a stream tells it (RFC 9639, section 8.2): by turns of the channels, in whole bytes, the lowest first.</summary>
internal sealed class FlacDigest(FlacStreamInfo info) : IDisposable
{
    private readonly IncrementalHash? _hash = info.Digest.AsSpan().ContainsAnyExcept((byte)0) ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
    private readonly byte[] _bytes = new byte[16 * 1024];

    /// <param name="block">One channel behind the other.</param>
    public void Add(ReadOnlySpan<long> block)
    {
        if (_hash is null)
        {
            return;
        }

        var (size, width, count) = (block.Length / info.Channels, (info.Bits + 7) / 8, 0);
        for (var at = 0; at < size; at++)
        {
            for (var channel = 0; channel < info.Channels; channel++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(count), (int)block[(channel * size) + at]);
                count += width;
            }

            // Eight channels of four bytes, at most.
            if (count > _bytes.Length - 64 || at == size - 1)
            {
                _hash.AppendData(_bytes, 0, count);
                count = 0;
            }
        }
    }

    /// <summary>Whether the samples are those that were written; true when the stream does not say.</summary>
    public bool IsRight() => _hash is null || _hash.GetHashAndReset().AsSpan().SequenceEqual(info.Digest);

    public void Dispose() => _hash?.Dispose();
}
