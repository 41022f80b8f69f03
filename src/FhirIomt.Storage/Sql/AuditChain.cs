using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// What makes the audit tamper-evident: each commit's lines, with their keys, are hashed together with the hash of the commit before. Writers of all nodes take
/// turns by the store's clock, so there is one chain, and no node's lines can go missing with their node.
/// </summary>
internal sealed class AuditChain : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Begin(ReadOnlySpan<byte> before) => _hash.AppendData(before);

    public void Add(long key, ReadOnlySpan<byte> body)
    {
        // The length keeps a line's end from being taken for the next one's beginning.
        Span<byte> head = stackalloc byte[12];
        BinaryPrimitives.WriteInt64BigEndian(head, key);
        BinaryPrimitives.WriteInt32BigEndian(head[8..], body.Length);
        _hash.AppendData(head);
        _hash.AppendData(body);
    }

    public byte[] End() => _hash.GetHashAndReset();

    public void Dispose() => _hash.Dispose();
}
