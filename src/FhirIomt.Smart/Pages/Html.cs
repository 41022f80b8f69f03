using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace FhirIomt.Smart.Pages;

/// <summary>
/// Markup that is safe to send. It is written as an interpolated string, in which the literal parts are markup and every hole is encoded unless it is
/// itself <see cref="Html"/>: forgetting to encode is not possible.
/// </summary>
internal readonly record struct Html(string Markup)
{
    public static Html Empty { get; } = new("");

    public static Html Of(Handler handler) => new(handler.ToMarkup());

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(part => part.Markup)));

    public override string ToString() => Markup;

    [InterpolatedStringHandler]
    internal readonly ref struct Handler
    {
        // Every letter as it is: names of people are readable in the source too. What means something in HTML is always encoded.
        private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

        private readonly StringBuilder _markup;

        public Handler(int literalLength, int formattedCount) => _markup = new StringBuilder(literalLength + (formattedCount * 16));

        public void AppendLiteral(string markup) => _markup.Append(markup);

        public void AppendFormatted(Html part) => _markup.Append(part.Markup);

        public void AppendFormatted(string? text) => _markup.Append(Encoder.Encode(text ?? ""));

        public string ToMarkup() => _markup.ToString();
    }
}
