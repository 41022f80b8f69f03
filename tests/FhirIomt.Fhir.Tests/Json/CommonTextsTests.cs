using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests.Json;

public sealed class CommonTextsTests
{
    private static readonly string[] Pieces = ["http://loinc.org", "8867-4", "ü", "心拍", "/min", "a", "\u007f", "\0", "😀", "Heart rate"];

    [Fact]
    public void Every_text_is_itself_whatever_had_its_place()
    {
        var random = new Random(4711);
        for (var number = 0; number < 50_000; number++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(0, 14)).Select(_ => Pieces[random.Next(Pieces.Length)] + (random.Next(4) == 0 ? random.Next(10_000).ToString(System.Globalization.CultureInfo.InvariantCulture) : "")));
            var bytes = Encoding.UTF8.GetBytes(text);
            Assert.Equal(text, CommonTexts.Of(bytes));
            Assert.Equal(text, CommonTexts.Of(text.AsSpan()));
        }
    }

    [Fact]
    public void What_came_just_now_is_not_made_again()
    {
        Assert.Same(CommonTexts.Of("http://unitsofmeasure.org"u8), CommonTexts.Of("http://unitsofmeasure.org"u8));
        Assert.Same(CommonTexts.Of("Patient"u8), CommonTexts.Of("Patient"));
    }
}
