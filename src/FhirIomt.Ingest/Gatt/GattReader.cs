using System.Buffers.Binary;

namespace FhirIomt.Ingest.Gatt;

/// <summary>Reads the fields of a characteristic's value in order, little endian. When a field is not there any more it says so at the end and yields zeros meanwhile.</summary>
internal ref struct GattReader(ReadOnlySpan<byte> value)
{
    private ReadOnlySpan<byte> _rest = value;

    /// <summary>A field was asked for that the value is too short for.</summary>
    public bool IsShort { get; private set; }

    public readonly int Left => _rest.Length;

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public ushort UInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public short Int16() => (short)UInt16();

    public int UInt24() => Take(3) is [var low, var middle, var high] ? low | (middle << 8) | (high << 16) : 0;

    public uint UInt32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    public GattNumber SFloat() => GattNumber.FromSFloat(UInt16());

    public GattNumber Float() => GattNumber.FromFloat(UInt32());

    public GattTime Time() => new(UInt16(), Byte(), Byte(), Byte(), Byte(), Byte());

    public ReadOnlySpan<byte> Take(int count)
    {
        if (_rest.Length < count)
        {
            IsShort = true;
            return default;
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
