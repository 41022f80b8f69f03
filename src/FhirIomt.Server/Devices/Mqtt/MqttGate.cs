using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Repository.Auditing;
using FhirIomt.Server.Devices.Listening;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>Who connects: by the password, which is a credential, or else by the certificate of the connection. The user name is free, and nothing in a payload counts.</summary>
internal sealed class MqttGate(SenderCredentials credentials, AuditLog audit, IdSource ids, TimeProvider time)
{
    private static readonly TimeSpan RecordedEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DateTimeOffset _recorded;

    /// <summary>Cheap enough to be asked for each message: a credential that is taken back ends its connections with their next one.</summary>
    public ValueTask<Sender?> FindAsync(MqttPacket.Connect connect, DeviceConnection connection, CancellationToken cancellationToken) =>
        connect.Secret is { } secret ? credentials.FindAsync(secret, cancellationToken)
        : connection.Certificate is { } certificate ? credentials.FindAsync(certificate, cancellationToken)
        : ValueTask.FromResult<Sender?>(null);

    /// <summary>A refusal is recorded, once a second at most: a flood of guesses shall not fill the audit as well.</summary>
    public async ValueTask RecordRefusalAsync(DeviceConnection connection, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (time.GetUtcNow() - _recorded < RecordedEvery)
            {
                return;
            }

            _recorded = time.GetUtcNow();
        }

        var entry = new AuditEntry("device") { Outcome = AuditOutcome.Refused, Issues = "IOMT-0942", Origin = new RequestOrigin(connection.Address?.ToString(), ids.NewId()), Target = "mqtt" };
        await audit.RecordAsync(entry, cancellationToken).ConfigureAwait(false);
    }
}
