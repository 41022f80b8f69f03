using System.Globalization;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Tests.Search;

public sealed class FhirDateTests
{
    [Theory]
    [InlineData("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")]
    [InlineData("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("2024-02-29T10:15", "2024-02-29T10:15:00Z", "2024-02-29T10:16:00Z")]
    [InlineData("2024-02-29T10:15:30", "2024-02-29T10:15:30Z", "2024-02-29T10:15:31Z")]
    [InlineData("2024-02-29T10:15:30.25", "2024-02-29T10:15:30.25Z", "2024-02-29T10:15:30.26Z")]
    [InlineData("2024-02-29T10:15:30+02:00", "2024-02-29T08:15:30Z", "2024-02-29T08:15:31Z")]
    [InlineData("2024-02-29T10:15:30.123456789-05:30", "2024-02-29T15:45:30.1234567Z", "2024-02-29T15:45:30.1234568Z")]
    [InlineData("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z")]
    public void A_date_covers_its_precision(string text, string start, string end)
    {
        Assert.True(FhirDate.TryParseInterval(text, out var from, out var to));
        Assert.Equal(DateTimeOffset.Parse(start, CultureInfo.InvariantCulture), from);
        Assert.Equal(DateTimeOffset.Parse(end, CultureInfo.InvariantCulture), to);
        Assert.Equal(TimeSpan.Zero, from.Offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("24")]
    [InlineData("0000")]
    [InlineData("2024-13")]
    [InlineData("2023-02-29")]
    [InlineData("2024-02-29T")]
    [InlineData("2024-02-29T10")]
    [InlineData("2024-02-29T24:00")]
    [InlineData("2024-02-29T10:15:30.")]
    [InlineData("2024-02-29T10:15:30+15:00")]
    [InlineData("2024-02-29 10:15")]
    [InlineData("2024-02-29T10:15:30Zx")]
    [InlineData("２０２４")]
    public void What_is_no_date_is_refused(string text) => Assert.False(FhirDate.TryParseInterval(text, out _, out _));

    [Fact]
    public void The_last_year_has_an_open_end()
    {
        Assert.True(FhirDate.TryParseInterval("9999-12-31", out _, out var end));
        Assert.Equal(DateTimeOffset.MaxValue, end);
        Assert.True(FhirDate.TryParseInterval("0001-01-01T00:00:00+14:00", out var start, out _));
        Assert.Equal(DateTimeOffset.MinValue, start);
    }

    [Theory]
    [InlineData("100", "99.5", "100.5")]
    [InlineData("100.00", "99.995", "100.005")]
    [InlineData("1e2", "50", "150")]
    [InlineData("-2.5e-1", "-0.255", "-0.245")]
    [InlineData("0", "-0.5", "0.5")]
    public void A_number_covers_its_precision(string text, string low, string high)
    {
        Assert.True(FhirNumber.TryParseInterval(System.Text.Encoding.ASCII.GetBytes(text), out _, out var from, out var to));
        Assert.Equal((decimal.Parse(low, CultureInfo.InvariantCulture), decimal.Parse(high, CultureInfo.InvariantCulture)), (from, to));
    }

    [Theory]
    [InlineData("1e245")]
    [InlineData("abc")]
    [InlineData("")]
    public void A_number_outside_decimal_is_refused(string text) => Assert.False(FhirNumber.TryParseInterval(System.Text.Encoding.ASCII.GetBytes(text), out _, out _, out _));
}
