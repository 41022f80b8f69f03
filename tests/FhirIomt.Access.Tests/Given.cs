using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Tests;

/// <summary>What the tests of this project say about scopes and documents.</summary>
internal static class Given
{
    public static IndexPolicy Policy { get; } = new(FhirDefinitions.R4);

    public static SearchIndexer Indexer { get; } = new(FhirDefinitions.R4);

    public static SmartScope Scope(string text) => SmartScope.Parse(text, Policy).Require();

    public static bool IsScope(string text) => SmartScope.Parse(text, Policy).Succeeded;

    public static AccessScope Token(string scopes, string? patient = null) =>
        new() { Actor = "client/test", Scopes = [.. scopes.Split(' ').Select(Scope)], Patient = patient };

    public static JsonTree Resource(string json) => JsonTree.Parse(System.Text.Encoding.UTF8.GetBytes(json)).Require();
}
