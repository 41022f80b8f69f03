using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Auditing;
using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Pages;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Account;

/// <summary>A page of who looked: what one did several times in a row is one line of it.</summary>
/// <param name="Older">Where the next page begins; null on the last.</param>
internal sealed record LooksView(IReadOnlyList<LookRow> Rows, long? Older, bool IsNewest);

/// <param name="First">The earliest of them.</param>
/// <param name="Person">Null where no person did it.</param>
/// <param name="With">The app, device or sender; null for somebody at the command line.</param>
/// <param name="IsSelf">The patient themselves.</param>
internal sealed record LookRow(DateTimeOffset First, DateTimeOffset Last, int Times, string? Person, string? With, bool IsSelf, RecordLook Look);

/// <summary>Finds it, and the names of those who looked.</summary>
internal sealed class LooksReader(IStore store, RecordLooks looks, ClientDirectory clients)
{
    private const int PageSize = 100;

    public async Task<LooksView> ReadAsync(string patientId, long? before, CancellationToken cancellationToken)
    {
        var (found, next) = await looks.OfPatientAsync(patientId, before, PageSize, cancellationToken).ConfigureAwait(false);
        var rows = new List<LookRow>();
        var names = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var look in found)
        {
            if (rows.Count > 0 && IsSame(rows[^1], look))
            {
                rows[^1] = rows[^1] with { First = look.At, Times = rows[^1].Times + 1 };
                continue;
            }

            var isSelf = look.Who.FhirUser == $"Patient/{patientId}";
            var person = isSelf ? null : await PersonAsync(look.Who, names, cancellationToken).ConfigureAwait(false);
            rows.Add(new LookRow(look.At, look.At, 1, person, await WithAsync(look.Who, names, cancellationToken).ConfigureAwait(false), isSelf, look));
        }

        return new LooksView(rows, next, before is null);
    }

    private static bool IsSame(LookRow row, RecordLook look) =>
        row.First.UtcDateTime.Date == look.At.UtcDateTime.Date && (row.Look with { Key = look.Key, At = look.At }) == look;

    private async ValueTask<string?> PersonAsync(RecordLooker who, Dictionary<string, string?> names, CancellationToken cancellationToken) =>
        who.FhirUser is { } reference ? await NameAsync(reference, names, cancellationToken).ConfigureAwait(false) ?? reference : who.UserId;

    private async ValueTask<string?> WithAsync(RecordLooker who, Dictionary<string, string?> names, CancellationToken cancellationToken)
    {
        if (who.ClientId is { } client)
        {
            if (!names.TryGetValue(client, out var name))
            {
                names[client] = name = (await clients.FindAsync(client, cancellationToken).ConfigureAwait(false))?.Name;
            }

            return name ?? client;
        }

        return who.Sender is not { } sender ? null
            : sender.StartsWith("device/", StringComparison.Ordinal) ? await NameAsync("Device/" + sender["device/".Length..], names, cancellationToken).ConfigureAwait(false) ?? sender
            : sender;
    }

    private async ValueTask<string?> NameAsync(string reference, Dictionary<string, string?> names, CancellationToken cancellationToken)
    {
        if (names.TryGetValue(reference, out var known))
        {
            return known;
        }

        var stored = reference.Split('/') is [var type, var id] ? await store.ReadAsync(type, id, cancellationToken).ConfigureAwait(false) : null;
        return names[reference] = stored is { IsDeleted: false } ? NameOf(stored.Type, JsonTree.Parse(stored.Body).Require().Root) : null;
    }

    private static string? NameOf(string type, ResourceNode root) => type switch
    {
        "Device" => root["deviceName"u8].First()["name"u8].AsString() ?? root["identifier"u8].First()["value"u8].AsString(),
        "PractitionerRole" => root["practitioner"u8]["display"u8].AsString(),
        _ => PatientChoice.NameOf(root["name"u8].First()),
    };
}

/// <summary>It as a table, in plain words.</summary>
internal static class LooksSection
{
    public static Html Of(Texts texts, LooksView view) => Html.Of($"""
        <h2 id="looked">{texts["look.title"]}</h2>
        <p>{texts["look.lead"]}</p>
        {(view.Rows.Count == 0 ? Html.Of($"<p>{texts["look.none"]}</p>") : Table(texts, view))}
        {(view.IsNewest ? Html.Empty : Html.Of($"<p><a href=\"/account#looked\">{texts["look.newest"]}</a></p>"))}
        {(view.Older is { } older ? Html.Of($"<p><a href=\"/account?before={older.ToString(System.Globalization.CultureInfo.InvariantCulture)}#looked\">{texts["look.older"]}</a></p>") : Html.Empty)}
        """);

    private static Html Table(Texts texts, LooksView view) => Html.Of($"""
        <div class="wide" role="region" aria-labelledby="looked" tabindex="0"><table>
        <thead><tr><th scope="col">{texts["look.when"]}</th><th scope="col">{texts["look.who"]}</th><th scope="col">{texts["look.what"]}</th></tr></thead>
        <tbody>{Html.Join(view.Rows.Select(row => Row(texts, row)))}</tbody>
        </table></div>
        """);

    private static Html Row(Texts texts, LookRow row)
    {
        var cells = Html.Of($"<td>{When(texts, row)}</td><td>{Who(texts, row)}</td>");
        return row.Look.IsEmergency
            ? Html.Of($"<tr class=\"alert\">{cells}<td><strong>{texts["look.emergency"]}</strong> {What(texts, row.Look)}</td></tr>")
            : Html.Of($"<tr>{cells}<td>{What(texts, row.Look)}</td></tr>");
    }

    private static string When(Texts texts, LookRow row)
    {
        var last = Time(row.Last, "yyyy-MM-dd HH:mm");
        return row.Times == 1 ? $"{last} UTC" : texts.Format("look.times", $"{Time(row.First, "yyyy-MM-dd HH:mm")}–{Time(row.Last, "HH:mm")} UTC", row.Times.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static string Time(DateTimeOffset time, string format) => time.UtcDateTime.ToString(format, System.Globalization.CultureInfo.InvariantCulture);

    private static string Who(Texts texts, LookRow row)
    {
        var person = row.IsSelf ? texts["look.you"] : row.Person;
        return (person, row.With) switch
        {
            ({ } name, { } app) => texts.Format("look.with", name, app),
            ({ } name, null) => name,
            (null, { } app) => app,
            _ => texts["look.nobody"],
        };
    }

    private static string What(Texts texts, RecordLook look)
    {
        var what = look.What switch
        {
            null => texts["look.record"],
            ['$', ..] operation => texts.Find($"look.{operation[1..]}") ?? texts["look.record"],
            var type => texts.Find($"type.{type}") ?? texts.Format("type.other", type),
        };
        var text = look.Kind switch
        {
            "emergency" => texts.Format("look.opened", look.Reason ?? ""),
            "message" => texts["look.message"],
            "command" or "device" => texts["look.managed"],
            "token" or "launch" or "introspect" or "userinfo" => texts["look.access"],
            "authorize" or "revoke" => texts["look.allowed"],
            "search-type" or "search-system" or "search-compartment" => texts.Format("look.searched", what),
            _ => texts.Format(AuditKind.Of(look.Kind).Action switch { "C" => "look.created", "U" => "look.changed", "D" => "look.deleted", _ => "look.read" }, what),
        };
        return look.IsRefused ? texts.Format("look.refused", text) : text;
    }
}
