using System.CommandLine;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Smart.Users;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt user add|list|disable|enable|password|link|unlink</c>. There is no user and no password until somebody makes one.</summary>
internal static class UserCommand
{
    public static Command Build(StoreOptions store) => new("user", "People who can log in")
    {
        BuildAdd(store),
        BuildList(store),
        BuildDisable(store, "disable", "End the user's sessions and everything they allowed to apps; no login until 'enable'", disabled: true),
        BuildDisable(store, "enable", "Let the user log in again", disabled: false),
        BuildPassword(store),
        BuildLink(store, "link", "Let somebody with a token of another issuer be this user", isLinked: true),
        BuildLink(store, "unlink", "Take such a link back", isLinked: false),
    };

    private static Option<bool> FromStandardInput() => new("--password-stdin") { Description = "Read the password from standard input instead of asking" };

    private static Command BuildAdd(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "What they log in with" };
        var role = new Option<string>("--role") { Description = "clinician, patient, operator or vendor", Required = true };
        role.AcceptOnlyFromAmong("clinician", "patient", "operator", "vendor");
        var fhirUser = new Option<string?>("--fhir-user") { Description = "The resource that is this person, such as Practitioner/17 or Patient/42", HelpName = "REF" };
        var standardInput = FromStandardInput();
        var add = new Command("add", "Add a user; asks for the password") { name, role, fhirUser, standardInput };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                if (PasswordPrompt.Read(parsed.GetValue(standardInput)) is not { } password)
                {
                    return StoreSession.Refuse([PasswordPrompt.Missing]);
                }

                var user = new NewUser(parsed.GetValue(name)!, Enum.Parse<UserRole>(parsed.GetValue(role)!, ignoreCase: true), parsed.GetValue(fhirUser), password);
                if (!(await services.GetRequiredService<UserDirectory>().AddAsync(user, token).ConfigureAwait(false)).TryGetValue(out var added, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Console.WriteLine(Line(added));
                return 0;
            },
            cancellationToken));
        return add;
    }

    private static Command BuildList(StoreOptions store)
    {
        var list = new Command("list", "Print each user as one line of JSON");
        list.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                foreach (var user in await services.GetRequiredService<UserDirectory>().ListAsync(token).ConfigureAwait(false))
                {
                    Console.WriteLine(Line(user));
                }

                return 0;
            },
            cancellationToken));
        return list;
    }

    private static Command BuildDisable(StoreOptions store, string name, string description, bool disabled)
    {
        var user = new Argument<string>("NAME");
        var command = new Command(name, description) { user };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) => Answer(await services.GetRequiredService<UserDirectory>().DisableAsync(parsed.GetValue(user)!, disabled, token).ConfigureAwait(false)),
            cancellationToken));
        return command;
    }

    private static Command BuildPassword(StoreOptions store)
    {
        var user = new Argument<string>("NAME");
        var standardInput = FromStandardInput();
        var command = new Command("password", "Set a new password; ends the user's sessions and everything they allowed to apps") { user, standardInput };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) => PasswordPrompt.Read(parsed.GetValue(standardInput)) is { } password
                ? Answer(await services.GetRequiredService<UserDirectory>().SetPasswordAsync(parsed.GetValue(user)!, password, token).ConfigureAwait(false))
                : StoreSession.Refuse([PasswordPrompt.Missing]),
            cancellationToken));
        return command;
    }

    private static Command BuildLink(StoreOptions store, string name, string description, bool isLinked)
    {
        var user = new Argument<string>("NAME");
        var issuer = new Option<string>("--issuer") { Description = "The token's iss, exactly", HelpName = "URL", Required = true };
        var subject = new Option<string>("--subject") { Description = "The token's sub", HelpName = "SUB", Required = true };
        var command = new Command(name, description) { user, issuer, subject };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var users = services.GetRequiredService<UserDirectory>();
                var (iss, sub) = (parsed.GetValue(issuer)!, parsed.GetValue(subject)!);
                return Answer(isLinked ? await users.LinkAsync(parsed.GetValue(user)!, iss, sub, token).ConfigureAwait(false) : await users.UnlinkAsync(parsed.GetValue(user)!, iss, sub, token).ConfigureAwait(false));
            },
            cancellationToken));
        return command;
    }

    private static int Answer(Issue? issue) => issue is null ? 0 : StoreSession.Refuse([issue]);

    private static string Line(UserEntry user) =>
        JsonSerializer.Serialize(new { user = user.Name, sub = user.Id, role = user.Role.ToString().ToLowerInvariant(), fhir_user = user.FhirUser, disabled = user.IsDisabled });
}
