using System.CommandLine;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Quarantine;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt quarantine list|show|fix|replay|discard</c>: the messages that wait.</summary>
internal static class QuarantineCommand
{
    public static Command Build(StoreOptions store) => new("quarantine", "Messages that could not be stored and wait") { List(store), Show(store), Fix(store), Replay(store), Discard(store) };

    private static Command List(StoreOptions store)
    {
        var (sender, code, mapping) = Filters();
        var limit = new Option<int>("--limit") { Description = "At most so many, newest first", DefaultValueFactory = static _ => 100 };
        var command = new Command("list", "One line of JSON for each message, without its payload") { sender, code, mapping, limit };
        command.SetAction((parsed, cancellationToken) => RunAsync(store, parsed, async (quarantine, token) =>
        {
            foreach (var message in await quarantine.ListAsync(new QuarantineFilter(parsed.GetValue(sender), parsed.GetValue(code), parsed.GetValue(mapping)), parsed.GetValue(limit), token).ConfigureAwait(false))
            {
                Print(JsonBytes.Of(message.WriteSummary));
            }

            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Show(StoreOptions store)
    {
        var id = Id();
        var command = new Command("show", "The whole message, with its payload: patient data") { id };
        command.SetAction((parsed, cancellationToken) => RunAsync(store, parsed, async (quarantine, token) =>
        {
            if (await quarantine.FindAsync(parsed.GetValue(id)!, token).ConfigureAwait(false) is not { } message)
            {
                return StoreSession.Refuse([QuarantineIssues.NotThere()]);
            }

            Print(message.Write());
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Fix(StoreOptions store)
    {
        var id = Id();
        var body = new Option<FileInfo>("--body") { Description = "JSON that takes the place of the message's Body; the one that came is kept beside it", Required = true };
        var command = new Command("fix", "Mend a message; replay it afterwards") { id, body };
        command.SetAction((parsed, cancellationToken) => RunAsync(store, parsed, async (quarantine, token) =>
        {
            var text = await File.ReadAllBytesAsync(parsed.GetValue(body)!.FullName, token).ConfigureAwait(false);
            return (await quarantine.MendAsync(parsed.GetValue(id)!, text, Actor, token).ConfigureAwait(false)).TryGetValue(out _, out var issues) ? 0 : StoreSession.Refuse(issues);
        }, cancellationToken));
        return command;
    }

    private static Command Replay(StoreOptions store)
    {
        var id = new Argument<string?>("ID") { Description = "One message; without it --all", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "All that the other options take, oldest first" };
        var (sender, code, mapping) = Filters();
        var with = new Option<string?>("--with") { Description = "Another mapping than the one it came with", HelpName = "MAPPING" };
        var command = new Command("replay", "Send messages through the current mapping again") { id, all, sender, code, mapping, with };
        command.SetAction((parsed, cancellationToken) => RunAsync(store, parsed, async (quarantine, token) =>
        {
            if (parsed.GetValue(id) is { } one)
            {
                if (!(await quarantine.ReplayAsync(one, parsed.GetValue(with), token).ConfigureAwait(false)).TryGetValue(out var receipt, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Print(JsonBytes.Of(receipt.Write));
                return receipt.Status is MessageStatus.Quarantined or MessageStatus.Partial or MessageStatus.Refused ? 1 : 0;
            }

            if (!parsed.GetValue(all))
            {
                await Console.Error.WriteLineAsync("Name a message, or say --all.").ConfigureAwait(false);
                return 1;
            }

            var filter = new QuarantineFilter(parsed.GetValue(sender), parsed.GetValue(code), parsed.GetValue(mapping));
            var (tried, released) = await quarantine.ReplayAllAsync(filter, parsed.GetValue(with), new Progress<int>(static done => Tell(done)), token).ConfigureAwait(false);
            Console.WriteLine($"{{\"tried\":{tried},\"released\":{released}}}");
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Discard(StoreOptions store)
    {
        var id = Id();
        var reason = new Option<string>("--reason") { Description = "Why nobody will need it; its receipt says so", Required = true };
        var command = new Command("discard", "Throw a message away") { id, reason };
        command.SetAction((parsed, cancellationToken) => RunAsync(store, parsed, async (quarantine, token) =>
            (await quarantine.DiscardAsync(parsed.GetValue(id)!, parsed.GetValue(reason)!, Actor, token).ConfigureAwait(false)).TryGetValue(out _, out var issues) ? 0 : StoreSession.Refuse(issues), cancellationToken));
        return command;
    }

    private static string Actor => $"os/{Environment.UserName}";

    private static Argument<string> Id() => new("ID") { Description = "Id of the message, as its receipt has it" };

    private static (Option<string?> Sender, Option<string?> Code, Option<string?> Mapping) Filters() => (
        new Option<string?>("--sender") { Description = "Only of that sender, such as vendor/acme" },
        new Option<string?>("--code") { Description = "Only what waits for that reason, such as IOMT-0521" },
        new Option<string?>("--mapping") { Description = "Only what came with that mapping" });

    private static Task<int> RunAsync(StoreOptions store, ParseResult parsed, Func<MessageQuarantine, CancellationToken, Task<int>> command, CancellationToken cancellationToken) =>
        StoreSession.RunAsync(store.Of(parsed), (services, token) => command(services.GetRequiredService<MessageQuarantine>(), token), cancellationToken);

    private static void Tell(int done)
    {
        if (done % 1000 == 0)
        {
            Console.Error.WriteLine($"{done} replayed");
        }
    }

    private static void Print(byte[] json) => Console.WriteLine(Encoding.UTF8.GetString(json));
}
