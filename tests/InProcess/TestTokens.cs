using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Tokens;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Tests;

/// <summary>
/// Tokens for any scope, without an authorization server: what the server would remember of a token is put there before each request. Everything behind that,
/// from the rules of the person on, is the server's own.
/// </summary>
internal sealed class TestTokens(IServiceProvider services)
{
    private readonly ConcurrentDictionary<string, TokenGrant> _grants = new(StringComparer.Ordinal);
    private int _tokens;

    public string For(AccessScope scope)
    {
        var token = $"test-token-{Interlocked.Increment(ref _tokens)}";
        _grants[token] = new TokenGrant(scope, [], DateTimeOffset.MaxValue);
        return token;
    }

    public AccessScope Scope(string scopes, AccessUser? user, string? patient, string client)
    {
        var policy = services.GetRequiredService<IndexPolicy>();
        return new AccessScope
        {
            Actor = $"client/{client}",
            ClientId = client,
            User = user,
            Patient = patient,
            Scopes = [.. scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(scope => SmartScope.Parse(scope, policy).Require())],
        };
    }

    public Task RememberAsync(HttpContext context, RequestDelegate next)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.Ordinal) && _grants.TryGetValue(header["Bearer ".Length..], out var grant))
        {
            Grants(services.GetRequiredService<AccessTokens>()).Now().Remember(header["Bearer ".Length..], grant);
        }

        return next(context);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_grants")]
    private static extern ref GenerationCache<TokenGrant> Grants(AccessTokens tokens);
}
