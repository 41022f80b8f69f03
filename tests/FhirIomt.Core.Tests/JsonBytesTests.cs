using System.Text;

namespace FhirIomt.Core.Tests;

public sealed class JsonBytesTests
{
    [Fact]
    public void A_text_within_a_text_is_its_own()
    {
        var outer = JsonBytes.Of(writer =>
        {
            writer.WriteStartArray();
            writer.WriteStringValue("before");
            var inner = JsonBytes.Of(part => part.WriteStringValue("within"));
            writer.WriteRawValue(inner, skipInputValidation: true);
            writer.WriteEndArray();
        });

        Assert.Equal("""["before","within"]""", Encoding.UTF8.GetString(outer));
    }

    [Fact]
    public void Nothing_of_a_text_that_failed_is_in_the_next()
    {
        Assert.Throws<InvalidOperationException>(() => JsonBytes.Of(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("patient", "somebody else's");
            throw new InvalidOperationException();
        }));

        Assert.Equal("[]", Encoding.UTF8.GetString(JsonBytes.Of(Empty)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(300_000)]
    public void What_was_answered_stays_when_the_next_is_written(int length)
    {
        var text = new string('a', length);
        var first = JsonBytes.Of(text, static (writer, text) => writer.WriteStringValue(text));
        var second = JsonBytes.Of(Empty);

        Assert.Equal($"\"{text}\"", Encoding.UTF8.GetString(first));
        Assert.Equal("[]", Encoding.UTF8.GetString(second));
    }

    private static void Empty(System.Text.Json.Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        writer.WriteEndArray();
    }
}
