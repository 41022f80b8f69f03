using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Repository.Tests;

public sealed class DeviceAssignmentTests
{
    [Theory]
    [InlineData("2026-03-01T09:59:59Z", "")]
    [InlineData("2026-03-01T10:00:00Z", "a")]
    [InlineData("2026-03-05T12:00:00Z", "a b")]
    [InlineData("2026-03-06T00:00:00Z", "b")]
    [InlineData("2030-01-01T00:00:00Z", "b")]
    public void The_patients_at_a_time_are_those_whose_period_covers_it(string at, string patients)
    {
        // a's end is a day: it lasts until the day is over. b starts in the middle of it: an overlap.
        var device = new KnownDevice("d", null, [Read(Statement("a", """{"start":"2026-03-01T10:00:00Z","end":"2026-03-05"}""")), Read(Statement("b", """{"start":"2026-03-05T12:00:00Z"}"""))]);
        var time = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(patients, string.Join(' ', device.PatientsDuring(time, time)));
    }

    [Fact]
    public void A_statement_without_period_covers_all_time() =>
        Assert.Equal(new DeviceAssignment("a", DateTimeOffset.MinValue, DateTimeOffset.MaxValue), Read("""{"resourceType":"DeviceUseStatement","status":"active","subject":{"reference":"Patient/a"}}"""));

    [Theory]
    [InlineData("entered-in-error", "Patient/a")]
    [InlineData("intended", "Patient/a")]
    [InlineData("active", "Group/a")]
    public void A_statement_that_does_not_assign_a_patient_counts_for_nothing(string status, string subject) =>
        Assert.False(DeviceAssignment.TryRead(Root($$$"""{"status":"{{{status}}}","subject":{"reference":"{{{subject}}}"}}"""), out _));

    [Fact]
    public void Two_statements_for_one_patient_are_one_answer()
    {
        var device = new KnownDevice("d", null, [Read(Statement("a", """{"start":"2026-03-01"}""")), Read(Statement("a", """{"start":"2026-03-02"}"""))]);
        var time = new DateTimeOffset(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);

        Assert.Equal(["a"], device.PatientsDuring(time, time));
    }

    private static string Statement(string patient, string period) => $$$"""{"status":"completed","subject":{"reference":"Patient/{{{patient}}}"},"timingPeriod":{{{period}}}}""";

    private static DeviceAssignment Read(string statement) => DeviceAssignment.TryRead(Root(statement), out var assignment) ? assignment : throw new InvalidOperationException("not an assignment");

    private static ResourceNode Root(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root;
}
