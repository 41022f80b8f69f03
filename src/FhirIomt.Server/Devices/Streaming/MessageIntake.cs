using System.Diagnostics;
using System.Threading.Channels;
using System.Threading.RateLimiting;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Ingest;
using FhirIomt.Server.Hosting;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Streaming;

/// <summary>
/// Where messages of many connections meet: what waits at one moment goes through the pipeline together. While many come, a lane waits a little for more of them, and no
/// longer than they do come; a message that comes alone waits for nothing. Messages of one lane stay in their order.
/// While the store does not answer they wait, and so do those who send them; what was taken is answered for, or was never taken.
/// </summary>
internal sealed class MessageIntake(IngestPipeline pipeline, IStore store, IdSource ids, ServerOptions options, ILogger<MessageIntake> logger) : BackgroundService
{
    // More than the two cores that one store keeps busy: a lane that waits for its commit leaves them to others, and its next passage is the larger for it.
    private const int LaneCount = 4;

    // Two chunks of the pipeline: one is mapped while the other commits.
    private const int MostAtOnce = 2 * IngestPipeline.ChunkSize;

    // A passage of that many: the next one is worth waiting for.
    private const int Many = 4;

    // How long a lane gathers at most, and how long it waits for the next message to come. Commits of hundreds take half as much for each message as those of a few
    // (docs/performance.md). Senders who wait for their answers before they send more are soon all heard, and pay with one pause.
    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Channel<Waiting>[] _lanes = [.. Enumerable.Range(0, LaneCount).Select(_ => Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true }))];

    // Counted in kilobytes; bounds the lanes too, since every message counts for one at least.
    private readonly ConcurrencyLimiter _room = new(new ConcurrencyLimiterOptions { PermitLimit = RoomOf(options), QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

    /// <summary>Takes a message as soon as there is room for it; the task that it answers ends when what the receipts say is durable.</summary>
    /// <param name="lane">Any number; the same number, the same order.</param>
    public async ValueTask<Task<IReadOnlyList<MessageReceipt>>> SubmitAsync(StreamMessage message, int lane, CancellationToken cancellationToken)
    {
        var lease = await _room.AcquireAsync(Math.Clamp((message.Bytes / 1024) + 1, 1, RoomOf(options)), cancellationToken).ConfigureAwait(false);
        var waiting = new Waiting(message, lease);
        if (!_lanes[(lane & int.MaxValue) % LaneCount].Writer.TryWrite(waiting))
        {
            waiting.GiveUp();
        }

        return waiting.Receipts;
    }

    public override void Dispose()
    {
        _room.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_lanes.Select(lane => Task.Run(() => RunAsync(lane, stoppingToken), CancellationToken.None)));

    private static int RoomOf(ServerOptions options) => options.Ingest.MaxWaitingBytes / 1024;

    private async Task RunAsync(Channel<Waiting> lane, CancellationToken stopping)
    {
        try
        {
            var areMany = false;
            while (await lane.Reader.WaitToReadAsync(stopping).ConfigureAwait(false))
            {
                var together = Drain(lane.Reader);
                if (areMany)
                {
                    await GatherAsync(together, lane.Reader).ConfigureAwait(false);
                }

                areMany = together.Count >= Many;
                await ProcessAsync(together, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops: what is left was not acknowledged, and comes again.
        }

        lane.Writer.TryComplete();
        foreach (var left in Drain(lane.Reader, int.MaxValue))
        {
            left.GiveUp();
        }
    }

    private static List<Waiting> Drain(ChannelReader<Waiting> reader, int most = MostAtOnce)
    {
        var together = new List<Waiting>();
        Drain(reader, together, most);
        return together;
    }

    private static int Drain(ChannelReader<Waiting> reader, List<Waiting> together, int most)
    {
        var count = together.Sum(one => one.Message.Entries.Count);
        for (; count < most && reader.TryRead(out var next); count += next.Message.Entries.Count)
        {
            together.Add(next);
        }

        return count;
    }

    private static async Task GatherAsync(List<Waiting> together, ChannelReader<Waiting> reader)
    {
        var (begun, before, count) = (Stopwatch.GetTimestamp(), 0, Drain(reader, together, MostAtOnce));
        while (AwaitsMore(before, count, Stopwatch.GetElapsedTime(begun)))
        {
            before = count;
            await Task.Delay(Gathering).ConfigureAwait(false);
            count = Drain(reader, together, MostAtOnce);
        }
    }

    /// <summary>Whether a passage waits for more: only while some came since it looked last, while there is room for them, and not for long.</summary>
    internal static bool AwaitsMore(int before, int count, TimeSpan gathered) => count > before && count < MostAtOnce && gathered < LongestGathering;

    private async Task ProcessAsync(List<Waiting> group, CancellationToken stopping)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                await PassAsync(group).ConfigureAwait(false);
                return;
            }
            catch (StoreBusyException exception)
            {
                if (stopping.IsCancellationRequested)
                {
                    GiveUp(group);
                    return;
                }

                // Perhaps it was written all the same (the connection broke in the commit): what is kept must be looked for.
                logger.StoreBusy(group.Count, exception.Message);
                group = [.. group.Select(one => one.Again())];
                await Task.WhenAny(Task.Delay(pause, TimeProvider.System, stopping)).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (Exception exception)
            {
                logger.MessageBroken(exception);
                await ApartAsync(group, exception, stopping).ConfigureAwait(false);
                return;
            }
        }
    }

    // One message's fault is never its neighbours': halves are tried until it stands alone, and one that cannot be processed even alone is kept as it came.
    private async Task ApartAsync(List<Waiting> group, Exception exception, CancellationToken stopping)
    {
        if (group.Count > 1)
        {
            var half = group.Count / 2;
            await ProcessAsync(group[..half], stopping).ConfigureAwait(false);
            await ProcessAsync(group[half..], stopping).ConfigureAwait(false);
        }
        else if (group[0].AsPoison() is { } poison)
        {
            await ProcessAsync([poison], stopping).ConfigureAwait(false);
        }
        else
        {
            group[0].Fail(exception);
        }
    }

    // One passage for all of them, and a request of its own for each sender: what the pipeline does for one it does not do for another.
    private async Task PassAsync(List<Waiting> together)
    {
        var passage = new Passage();
        foreach (var one in together)
        {
            one.Begin();
        }

        foreach (var group in together.GroupBy(one => (one.Message.Sender, one.Message.Mapping, one.Message.Address, one.Message.KeepsRefused)))
        {
            var part = new Part([], [], []);
            foreach (var one in group)
            {
                await AddAsync(part, one).ConfigureAwait(false);
            }

            passage.Add(part, group.First().Message, ids);
        }

        foreach (var receipt in passage.Requests.Count == 0 ? [] : await pipeline.ProcessAsync(passage.Requests, CancellationToken.None).ConfigureAwait(false))
        {
            var (message, index) = passage.Places[receipt.Index];
            message.Add(receipt with { Index = index });
        }

        foreach (var one in together)
        {
            one.End();
        }
    }

    // What waits in quarantine already is answered as it was.
    private async ValueTask AddAsync(Part part, Waiting one)
    {
        foreach (var entry in one.Message.Entries)
        {
            var key = one.Message.RepeatKey is { } known ? $"{known}-{entry.Index}" : null;
            if (one.Message.IsRepeated && key is not null && await store.FindRecordAsync(RecordKind.SeenMessage, key, CancellationToken.None).ConfigureAwait(false) is { } before)
            {
                one.Add(new MessageReceipt(entry.Index, System.Text.Encoding.UTF8.GetString(before.Body.Span).Trim('"'), MessageStatus.Quarantined, [], []));
                continue;
            }

            part.Entries.Add(entry);
            part.Keys.Add(key);
            part.Places.Add((one, entry.Index));
        }
    }

    private static void GiveUp(List<Waiting> group)
    {
        foreach (var one in group)
        {
            one.GiveUp();
        }
    }

    /// <summary>What one sender has in a passage, and of which message each entry is.</summary>
    private sealed record Part(List<MessageEntry> Entries, List<string?> Keys, List<(Waiting Message, int Index)> Places);

    /// <summary>The requests of a passage, and by the index of a receipt the message that it answers.</summary>
    private sealed class Passage
    {
        public List<IngestRequest> Requests { get; } = [];

        public List<(Waiting Message, int Index)> Places { get; } = [];

        /// <param name="first">Says what all messages of the part have in common.</param>
        public void Add(Part part, StreamMessage first, IdSource ids)
        {
            if (part.Entries.Count == 0)
            {
                return;
            }

            Places.AddRange(part.Places);
            Requests.Add(new IngestRequest(first.Sender, new RequestOrigin(first.Address, ids.NewId()), first.Mapping, part.Entries)
            {
                KeptKeys = part.Keys,
                RepeatsKnown = first.RepeatsKnown,
                KeepsRefused = first.KeepsRefused,
            });
        }
    }

    /// <summary>A message from when there is room for it until its receipts are there.</summary>
    private sealed class Waiting(StreamMessage message, RateLimitLease lease)
    {
        private readonly TaskCompletionSource<IReadOnlyList<MessageReceipt>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<MessageReceipt> _receipts = [];
        private bool _isPoison;

        public StreamMessage Message { get; private set; } = message;

        public Task<IReadOnlyList<MessageReceipt>> Receipts => _done.Task;

        public Waiting Again()
        {
            Message = Message with { IsRepeated = true };
            return this;
        }

        public Waiting? AsPoison()
        {
            if (_isPoison)
            {
                return null;
            }

            _isPoison = true;
            Message = Message with
            {
                Entries = [.. Message.Entries.Select(entry => entry is MessageEntry.Taken taken ? new MessageEntry.Unreadable(taken.Reading, StreamIssues.Fault()) : entry)],
            };
            return this;
        }

        public void Begin() => _receipts.Clear();

        public void Add(MessageReceipt receipt) => _receipts.Add(receipt);

        public void End()
        {
            lease.Dispose();
            _done.TrySetResult(_receipts.Count == 1 ? [_receipts[0]] : [.. _receipts.OrderBy(receipt => receipt.Index)]);
        }

        public void Fail(Exception exception)
        {
            lease.Dispose();
            _done.TrySetException(exception);
        }

        public void GiveUp()
        {
            lease.Dispose();
            _done.TrySetCanceled();
        }
    }
}

internal static partial class IntakeLog
{
    [LoggerMessage(EventId = 90, Level = LogLevel.Warning, Message = "{Messages} messages wait for the store: {Reason}")]
    public static partial void StoreBusy(this ILogger logger, int messages, string reason);

    [LoggerMessage(EventId = 91, Level = LogLevel.Error, Message = "The pipeline failed; each message is tried alone")]
    public static partial void MessageBroken(this ILogger logger, Exception exception);
}
