using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using FhirIomt.Core;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Server.Devices.Listening;
using FhirIomt.Server.Devices.Streaming;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>
/// One connection from its CONNECT to its end. It reads no further than it can hold: as many publishes as may be under way, and no more bytes than the intake has room for.
/// Acknowledgements leave in the order of the publishes (MQTT 5.0, 4.6), each after its message is durable.
/// </summary>
internal sealed class MqttConnection : IDisposable
{
    // As Kestrel has for a request's head.
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(30);

    // Of packets that carry a topic's text twice a device has a handful.
    private const int MaxAliases = 32;

    private readonly MqttOptions _options;
    private readonly MqttServer _server;
    private readonly DeviceConnection _connection;
    private readonly MqttDecoder _decoder;
    private readonly PipeReader _reader;
    private readonly MqttOutput _output;
    private readonly CancellationTokenSource _life = new();
    private readonly ITimer _watch;
    private readonly Channel<MqttIncoming> _acknowledgements;
    private readonly HashSet<ushort> _underWay = [];
    private readonly Dictionary<int, string> _aliases = [];
    private readonly Lock _lock = new();
    private MqttPacket.Connect _connect = null!;
    private MqttSession? _session;
    private Sender? _sender;
    private MqttReason? _end;
    private bool _isMute;
    private bool _saidGoodbye;
    private TimeSpan _silence;
    private long _awaitedSince;

    public MqttConnection(MqttOptions options, MqttServer server, DeviceConnection connection)
    {
        (_options, _server, _connection) = (options, server, connection);
        _decoder = new MqttDecoder(options.MaxPacketBytes);
        _watch = server.Time.CreateTimer(static connection => ((MqttConnection)connection!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _output = new MqttOutput(connection.Stream);

        // Zero-byte reads: a device that says nothing costs no buffer.
        _reader = PipeReader.Create(connection.Stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: connection.Stream is System.Net.Sockets.NetworkStream or System.Net.Security.SslStream));
        _acknowledgements = Channel.CreateBounded<MqttIncoming>(new BoundedChannelOptions(options.InFlight) { SingleReader = true, SingleWriter = true });
    }

    public void Dispose()
    {
        _watch.Dispose();
        _life.Dispose();
        _output.Dispose();
    }

    /// <summary>Ends it from outside, with that reason.</summary>
    public void End(MqttReason reason)
    {
        lock (_lock)
        {
            _end ??= reason;
        }

        Cancel();
    }

    private void Cancel()
    {
        try
        {
            _life.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended of itself.
        }
    }

    // One timer, set again when it fires: to set it for each packet took a fiftieth of a publish.
    private void Watch()
    {
        var since = Volatile.Read(ref _awaitedSince);
        var left = since == 0 ? _silence : _silence - _server.Time.GetElapsedTime(since);
        if (left <= TimeSpan.Zero)
        {
            Cancel();
            return;
        }

        _watch.Change(left, Timeout.InfiniteTimeSpan);
    }

    private void AwaitNoLongerThan(TimeSpan silence)
    {
        _silence = silence;
        _watch.Change(silence, Timeout.InfiniteTimeSpan);
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        using var registration = stopping.Register(() => End(MqttReason.ServerShuttingDown));
        var acknowledging = Task.CompletedTask;
        try
        {
            if (await OpenAsync().ConfigureAwait(false))
            {
                acknowledging = AcknowledgeAsync();
                await ListenAsync().ConfigureAwait(false);
            }
        }
        catch (MqttProtocolException exception)
        {
            await SayAsync(exception.Reason, exception.Message, exception.AnswerIn).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(acknowledging).ConfigureAwait(false);
        }
        finally
        {
            Leave();
            _acknowledgements.Writer.TryComplete();
            await acknowledging.ConfigureAwait(false);
        }
    }

    // A server that stops says what is durable by then; otherwise the last word comes at once.
    private async ValueTask EndAsync(Task acknowledging)
    {
        var reason = _end ?? MqttReason.KeepAliveTimeout;
        if (reason == MqttReason.ServerShuttingDown)
        {
            _acknowledgements.Writer.TryComplete();
            await acknowledging.ConfigureAwait(false);
        }

        await SayAsync(reason, null, null).ConfigureAwait(false);
    }

    private async ValueTask SayAsync(MqttReason reason, string? why, MqttVersion? answerIn)
    {
        var last = _session is not null ? (_connect.Version == MqttVersion.V5 ? MqttEncoder.Disconnect(reason, why) : [])
            : answerIn is { } version ? MqttEncoder.RefuseConnect(version, reason, why)
            : _decoder.Version == MqttVersion.V5 ? MqttEncoder.RefuseConnect(MqttVersion.V5, reason, why) : [];
        await _output.WriteAsync(last, isLast: true).ConfigureAwait(false);
        await _output.LingerAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> OpenAsync()
    {
        AwaitNoLongerThan(ConnectTime);
        if (await ReadAsync().ConfigureAwait(false) is not MqttPacket.Connect connect)
        {
            return false;
        }

        _connect = connect;
        _sender = await _server.Gate.FindAsync(connect, _connection, _life.Token).ConfigureAwait(false);
        if (await RefusalAsync(connect).ConfigureAwait(false) is { } refusal)
        {
            await _output.WriteAsync(MqttEncoder.RefuseConnect(connect.Version, refusal.Reason, $"{refusal.Issue.Code} {refusal.Issue.Message} {refusal.Issue.Fix}"), isLast: true).ConfigureAwait(false);
            await _output.LingerAsync().ConfigureAwait(false);
            return false;
        }

        var asked = connect.KeepAliveSeconds == 0 ? _options.MaxKeepAlive : TimeSpan.FromSeconds(connect.KeepAliveSeconds);
        var keepAlive = asked < _options.MaxKeepAlive ? asked : _options.MaxKeepAlive;

        // Half as long again as agreed (3.1.2.10).
        AwaitNoLongerThan(keepAlive * 1.5);
        await WelcomeAsync(connect, keepAlive).ConfigureAwait(false);
        return true;
    }

    private async ValueTask WelcomeAsync(MqttPacket.Connect connect, TimeSpan keepAlive)
    {
        var assigned = connect.ClientId.Length == 0 ? _server.Ids.NewId() : null;
        var wanted = ExpiryOf(connect);
        var (session, wasThere) = _server.Sessions.Open(_sender!, assigned ?? connect.ClientId, connect.CleanStart, wanted, this);
        _session = session;
        var welcome = new MqttWelcome(wasThere, _options.InFlight, _options.MaxPacketBytes, MaxAliases)
        {
            SessionExpirySeconds = session.Expiry != wanted ? (uint)session.Expiry.TotalSeconds : null,
            AssignedClientId = assigned,
            KeepAliveSeconds = (int)keepAlive.TotalSeconds != connect.KeepAliveSeconds ? (int)keepAlive.TotalSeconds : null,
        };
        await _output.WriteAsync(MqttEncoder.Welcome(connect.Version, welcome)).ConfigureAwait(false);
    }

    // In 3.1.1 a session is kept or not; for how long is the server's affair.
    private static TimeSpan ExpiryOf(MqttPacket.Connect connect) => connect.Version == MqttVersion.V311
        ? (connect.CleanStart ? TimeSpan.Zero : TimeSpan.MaxValue)
        : connect.Properties.SessionExpirySeconds switch
        {
            null => TimeSpan.Zero,
            uint.MaxValue => TimeSpan.MaxValue,
            { } seconds => TimeSpan.FromSeconds(seconds),
        };

    private async ValueTask<(MqttReason Reason, Issue Issue)?> RefusalAsync(MqttPacket.Connect connect)
    {
        if (connect.Properties.AuthenticationMethod is not null)
        {
            return (MqttReason.BadAuthenticationMethod, StreamIssues.NoAuthenticationMethods());
        }

        if (connect is { Version: MqttVersion.V311, ClientId: "", CleanStart: false })
        {
            return (MqttReason.ClientIdentifierNotValid, StreamIssues.NoClientId());
        }

        if (_sender is null)
        {
            await _server.Gate.RecordRefusalAsync(_connection, _life.Token).ConfigureAwait(false);
            return (connect.Password is null ? MqttReason.NotAuthorized : MqttReason.BadUserNameOrPassword, StreamIssues.CredentialUnknown());
        }

        return null;
    }

    private async Task ListenAsync()
    {
        while (!_saidGoodbye && await ReadAsync().ConfigureAwait(false) is { } packet)
        {
            switch (packet)
            {
                case MqttPacket.Publish publish:
                    await PublishAsync(publish).ConfigureAwait(false);
                    break;
                case MqttPacket.Acknowledge { Type: MqttPacketType.PubRel } release:
                    await ReleaseAsync(release.Id).ConfigureAwait(false);
                    break;
                case MqttPacket.Ping:
                    await _output.WriteAsync(MqttEncoder.PingResponse).ConfigureAwait(false);
                    break;
                case MqttPacket.Subscribe subscribe:
                    await _output.WriteAsync(MqttEncoder.RefuseSubscribe(_connect.Version, subscribe.Id, subscribe.Filters.Count, Text(StreamIssues.NoSubscriptions()))).ConfigureAwait(false);
                    break;
                case MqttPacket.Unsubscribe unsubscribe:
                    await _output.WriteAsync(MqttEncoder.Unsubscribed(_connect.Version, unsubscribe.Id, unsubscribe.Filters.Count)).ConfigureAwait(false);
                    break;
                case MqttPacket.Disconnect disconnect:
                    Disconnect(disconnect);
                    break;
                default:
                    throw new MqttProtocolException(MqttReason.ProtocolError, "The packet answers to nothing that was said.");
            }
        }
    }

    /// <summary>The next packet; null when the other side has ended.</summary>
    private async ValueTask<MqttPacket?> ReadAsync()
    {
        while (true)
        {
            // Only while something is awaited: a store that keeps this connection waiting is not the client's silence.
            Volatile.Write(ref _awaitedSince, Math.Max(1, _server.Time.GetTimestamp()));
            ReadResult read;
            try
            {
                read = await _reader.ReadAsync(_life.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or System.Net.WebSockets.WebSocketException)
            {
                return null;
            }

            Volatile.Write(ref _awaitedSince, 0);
            var buffer = read.Buffer;
            if (!buffer.IsEmpty && _decoder.TryRead(ref buffer, out var packet))
            {
                _reader.AdvanceTo(buffer.Start);
                return packet;
            }

            if (read.IsCompleted)
            {
                return null;
            }

            _reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private async ValueTask PublishAsync(MqttPacket.Publish publish)
    {
        publish = publish with { Topic = TopicOf(publish) };
        if (await _server.Gate.FindAsync(_connect, _connection, _life.Token).ConfigureAwait(false) is not { } sender || sender.Id != _sender!.Id)
        {
            throw new MqttProtocolException(MqttReason.NotAuthorized, "The credential is not good any more.");
        }

        if (publish.Qos == 0)
        {
            var stored = await _server.Publisher.SubmitAsync(sender, Address, publish, _connect.Version, null, _session!.Lane, _life.Token).ConfigureAwait(false);
            await _acknowledgements.Writer.WriteAsync(new MqttIncoming(0, 0, null, stored), _life.Token).ConfigureAwait(false);
            return;
        }

        Begin(publish.Id);
        var key = StreamMessage.KeyOf(sender, publish.Topic, publish.Payload.Span);
        var incoming = Known(publish, key);
        if (incoming is null)
        {
            var stored = await _server.Publisher.SubmitAsync(sender, Address, publish, _connect.Version, key, _session!.Lane, _life.Token).ConfigureAwait(false);
            incoming = new MqttIncoming(publish.Id, publish.Qos, key, stored);
            if (!_session.TryAdd(incoming))
            {
                throw new MqttProtocolException(MqttReason.QuotaExceeded, "Too many publishes of the session are not finished.");
            }
        }

        await _acknowledgements.Writer.WriteAsync(incoming, _life.Token).ConfigureAwait(false);
    }

    // The same message again, on this connection or the one before: it is answered as the first will be, and never stored twice (4.3.3).
    private MqttIncoming? Known(MqttPacket.Publish publish, string key)
    {
        if (_session!.Find(publish.Id) is not { } known)
        {
            return null;
        }

        if (known.Key == key && known.Qos == publish.Qos && (publish.Qos == 2 || publish.IsRepeated))
        {
            return known;
        }

        // Another message under an identifier that is not released. 3.1.1 cannot be told so: the client has forgotten its session, and this message is new.
        return publish.Qos == 2 && _connect.Version == MqttVersion.V5 ? new MqttIncoming(publish.Id, 2, null, Task.FromResult(new MqttReceipt(MqttReason.PacketIdentifierInUse, null))) : null;
    }

    private void Begin(ushort id)
    {
        lock (_lock)
        {
            if (_underWay.Add(id) && _underWay.Count > _options.InFlight && _connect.Version == MqttVersion.V5)
            {
                throw new MqttProtocolException(MqttReason.ReceiveMaximumExceeded, $"More than {_options.InFlight} publishes are under way.");
            }
        }
    }

    private void Finish(ushort id)
    {
        lock (_lock)
        {
            _underWay.Remove(id);
        }
    }

    private async ValueTask ReleaseAsync(ushort id)
    {
        var reason = _session!.Release(id) ? MqttReason.Success : MqttReason.PacketIdentifierNotFound;
        Finish(id);
        await _output.WriteAsync(MqttEncoder.Acknowledge(_connect.Version, MqttPacketType.PubComp, id, reason, null)).ConfigureAwait(false);
    }

    private string TopicOf(MqttPacket.Publish publish)
    {
        if (publish.Properties.TopicAlias is not { } alias)
        {
            return publish.Topic;
        }

        if (alias is < 1 or > MaxAliases)
        {
            throw new MqttProtocolException(MqttReason.TopicAliasInvalid, $"A topic alias is from 1 to {MaxAliases}.");
        }

        if (publish.Topic.Length > 0)
        {
            _aliases[alias] = publish.Topic;
        }

        return _aliases.TryGetValue(alias, out var topic) ? topic : throw new MqttProtocolException(MqttReason.ProtocolError, "A topic alias stands for nothing yet.");
    }

    private void Disconnect(MqttPacket.Disconnect disconnect)
    {
        if (disconnect.Properties.SessionExpirySeconds is { } seconds)
        {
            if (seconds > 0 && ExpiryOf(_connect) == TimeSpan.Zero)
            {
                throw new MqttProtocolException(MqttReason.ProtocolError, "A session that was to end with its connection cannot be kept.");
            }

            var wanted = seconds == uint.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
            _session!.Expiry = wanted < _options.SessionsKept ? wanted : _options.SessionsKept;
        }

        _saidGoodbye = true;
        _connect = disconnect.Reason == MqttReason.Success ? _connect with { Will = null } : _connect;
    }

    private void Leave()
    {
        if (_session is { } session)
        {
            // A server that stops is no failure of the device.
            var will = _connect.Will is { } last && _end != MqttReason.ServerShuttingDown
                ? new PendingWill(_sender!, Address, last, _server.Time.GetUtcNow() + TimeSpan.FromSeconds(last.Properties.WillDelaySeconds)) : null;
            _server.Sessions.Leave(session, this, will);
        }
    }

    private string? Address => _connection.Address?.ToString();

    private async Task AcknowledgeAsync()
    {
        var packets = new ArrayBufferWriter<byte>();
        await foreach (var incoming in _acknowledgements.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (packets.WrittenCount > 0 && !incoming.Receipt.IsCompleted)
            {
                await FlushAsync(packets).ConfigureAwait(false);
            }

            Acknowledge(packets, incoming, await incoming.Receipt.ConfigureAwait(false));
            if (!_acknowledgements.Reader.TryPeek(out _))
            {
                await FlushAsync(packets).ConfigureAwait(false);
            }
        }

        await FlushAsync(packets).ConfigureAwait(false);
    }

    private void Acknowledge(ArrayBufferWriter<byte> packets, MqttIncoming incoming, MqttReceipt receipt)
    {
        // What is stored with QoS 2 is known until it is released; anything else is finished.
        if (incoming.Qos == 1 || receipt.IsRefusal)
        {
            _session!.Finish(incoming);
            Finish(incoming.Id);
        }

        if (receipt.EndsConnection)
        {
            // Nothing after it may be acknowledged before it.
            _isMute = true;
            End(receipt.Reason);
        }

        if (incoming.Qos == 0 || _isMute)
        {
            return;
        }

        packets.Write(WithinLimit(incoming, receipt));
    }

    private byte[] WithinLimit(MqttIncoming incoming, MqttReceipt receipt)
    {
        var type = incoming.Qos == 1 ? MqttPacketType.PubAck : MqttPacketType.PubRec;
        var packet = MqttEncoder.Acknowledge(_connect.Version, type, incoming.Id, receipt.Reason, _connect.Properties.WantsProblems ? receipt.Why : null);

        // A packet larger than the client takes leaves out what is not needed (3.4.2.2.2).
        return packet.Length > (_connect.Properties.MaximumPacketSize ?? uint.MaxValue) ? MqttEncoder.Acknowledge(_connect.Version, type, incoming.Id, receipt.Reason, null) : packet;
    }

    private async ValueTask FlushAsync(ArrayBufferWriter<byte> packets)
    {
        if (packets.WrittenCount > 0)
        {
            await _output.WriteAsync(packets.WrittenMemory).ConfigureAwait(false);
            packets.ResetWrittenCount();
        }
    }

    private static string Text(Issue issue) => $"{issue.Code} {issue.Message} {issue.Fix}";
}
