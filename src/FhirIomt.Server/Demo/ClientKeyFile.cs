using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace FhirIomt.Server.Demo;

/// <summary>The client's side of private_key_jwt: a P-384 key in a PEM file, for trying the server out from the command line.</summary>
internal static class ClientKeyFile
{
    public const string KeyId = "k1";

    /// <summary>The JWK Set to register.</summary>
    public static string PublicSet(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return JsonSerializer.Serialize(new
        {
            keys = new[] { new { kty = "EC", crv = "P-384", kid = KeyId, use = "sig", alg = "ES384", x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) } },
        });
    }

    /// <summary>A client assertion for that token endpoint (SMART App Launch 2.2, "Asymmetric").</summary>
    public static string Assertion(ECDsa key, string clientId, string tokenEndpoint, DateTimeOffset now, string jti)
    {
        var header = Encode(new { alg = "ES384", typ = "JWT", kid = KeyId });
        var payload = Encode(new { iss = clientId, sub = clientId, aud = tokenEndpoint, exp = now.AddMinutes(4).ToUnixTimeSeconds(), jti });
        var signature = key.SignData(System.Text.Encoding.ASCII.GetBytes($"{header}.{payload}"), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{header}.{payload}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
