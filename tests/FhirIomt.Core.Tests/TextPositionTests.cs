namespace FhirIomt.Core.Tests;

public sealed class TextPositionTests
{
    [Theory]
    [InlineData("", 0, 1, 1)]
    [InlineData("abc", 2, 1, 3)]
    [InlineData("a\nbc", 2, 2, 1)]
    [InlineData("a\r\nbc", 4, 2, 2)]
    [InlineData("a\n", 99, 2, 1)]
    public void Lines_and_columns_count_from_one(string text, int offset, int line, int column) =>
        Assert.Equal(new TextPosition(line, column), TextPosition.At(System.Text.Encoding.UTF8.GetBytes(text), offset));
}
