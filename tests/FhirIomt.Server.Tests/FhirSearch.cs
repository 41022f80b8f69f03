using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>An EHR that follows the pages of a search until there are no more.</summary>
internal static class FhirSearch
{
    public static async IAsyncEnumerable<JsonObject> AllAsync(HttpClient http, string root, string search, string token)
    {
        for (var next = $"{root}fhir/{search}"; next is not null;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, next);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await http.SendAsync(request);
            var bundle = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.True(response.IsSuccessStatusCode, bundle.ToJsonString());
            foreach (var entry in bundle["entry"]?.AsArray() ?? [])
            {
                yield return entry!["resource"]!.AsObject();
            }

            // The server names itself by its configured address, which a test server learns only when it listens.
            next = bundle["link"]!.AsArray().Where(link => (string)link!["relation"]! == "next").Select(link => root + new Uri((string)link!["url"]!).PathAndQuery[1..]).FirstOrDefault();
        }
    }
}
