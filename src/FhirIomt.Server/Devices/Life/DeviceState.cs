using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Life;

/// <summary>What a device last said of its battery and power, by whichever format: the newest Observations of which it is the subject.</summary>
internal sealed class DeviceState(IStore store, SearchQueryParser parser)
{
    private static readonly (string Name, string Mdc)[] Told = [("battery", "67996"), ("batteryTimeLeft", "67976"), ("batteryStatus", "8418512"), ("power", "67925")];

    public async ValueTask<IReadOnlyList<DeviceStatement>> OfAsync(string deviceId, CancellationToken cancellationToken)
    {
        var said = new List<DeviceStatement>();
        foreach (var (name, mdc) in Told)
        {
            var query = parser.Parse(
                "Observation",
                [new SearchArgument("subject", $"Device/{deviceId}"), new SearchArgument("code", $"urn:iso:std:iso:11073:10101|{mdc}"), new SearchArgument("status", "final,amended,corrected,preliminary"), new SearchArgument("_sort", "-date"), new SearchArgument("_count", "1")],
                lenient: false).Require();
            var page = (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
            if (page.Matches is [var newest, ..])
            {
                said.Add(new DeviceStatement(name, JsonTree.Parse(newest.Body).Require().Root));
            }
        }

        return said;
    }
}

/// <summary>One thing that a device said of itself, and when.</summary>
internal readonly record struct DeviceStatement(string Name, ResourceNode Observation)
{
    public string? At => Observation["effectiveDateTime"u8].AsString() ?? Observation["effectivePeriod"u8]["start"u8].AsString();

    public void WriteValue(Utf8JsonWriter writer)
    {
        var (quantity, concept) = (Observation["valueQuantity"u8], Observation["valueCodeableConcept"u8]);
        if (quantity.Exists)
        {
            writer.WritePropertyName("value"u8);
            quantity["value"u8].WriteTo(writer);
            writer.WriteString("unit"u8, quantity["code"u8].AsString() ?? quantity["unit"u8].AsString());
        }
        else
        {
            var coding = concept["coding"u8].First();
            writer.WriteString("value"u8, concept["text"u8].AsString() ?? coding["display"u8].AsString() ?? coding["code"u8].AsString());
        }
    }
}
