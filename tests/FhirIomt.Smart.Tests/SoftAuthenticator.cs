using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FhirIomt.Smart.Tests;

/// <summary>An authenticator and the browser before it, by hand, so that every mistake can be made.</summary>
internal sealed class SoftAuthenticator
{
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA? _rsa;

    public SoftAuthenticator(bool isRsa = false) => _rsa = isRsa ? RSA.Create(2048) : null;

    public byte[] Id { get; set; } = RandomNumberGenerator.GetBytes(32);

    public uint Counter { get; set; } = 1;

    public required string Origin { get; set; }

    public string Party { get; set; } = "localhost";

    public byte Flags { get; set; } = 0x05;

    public string Format { get; set; } = "none";

    public bool IsCrossOrigin { get; set; }

    public string Type { get; set; } = "";

    public IEnumerable<(string Name, string Value)> Register(string challenge)
    {
        byte[] data = [.. Head((byte)(Flags | 0x40)), .. new byte[16], .. Short(Id.Length), .. Id, .. CoseKey()];
        byte[] attestation = [0xA3, .. Text("fmt"), .. Text(Format), .. Text("attStmt"), 0xA0, .. Text("authData"), 0x59, .. Short(data.Length), .. data];
        return [("client_data", Encoded(ClientData("webauthn.create", challenge))), ("attestation", Encoded(attestation))];
    }

    public IEnumerable<(string Name, string Value)> SignIn(string challenge, string userId, bool alters = false)
    {
        var client = ClientData("webauthn.get", challenge);
        var data = Head(Flags);
        byte[] signed = [.. data, .. SHA256.HashData(client)];
        var signature = _rsa?.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) ?? _ec.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        signature[^1] ^= (byte)(alters ? 1 : 0);
        return [("credential", Encoded(Id)), ("client_data", Encoded(client)), ("authenticator_data", Encoded(data)), ("signature", Encoded(signature)), ("user_handle", Encoded(Encoding.UTF8.GetBytes(userId)))];
    }

    private byte[] ClientData(string type, string challenge) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type = Type.Length > 0 ? Type : type, challenge, origin = Origin, crossOrigin = IsCrossOrigin });

    private byte[] Head(byte flags)
    {
        var counter = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(counter, Counter);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Party)), flags, .. counter];
    }

    private byte[] CoseKey()
    {
        if (_rsa is not null)
        {
            var rsa = _rsa.ExportParameters(includePrivateParameters: false);
            return [0xA4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, .. Short(rsa.Modulus!.Length), .. rsa.Modulus, 0x21, 0x43, .. rsa.Exponent!];
        }

        var point = _ec.ExportParameters(includePrivateParameters: false).Q;
        return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32, .. point.X!, 0x22, 0x58, 32, .. point.Y!];
    }

    private static byte[] Text(string text) => [(byte)(0x60 | text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Short(int value) => [(byte)(value >> 8), (byte)value];

    private static string Encoded(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
