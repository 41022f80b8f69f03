using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Tests;

public sealed class MessageSplitterTests
{
    private static readonly SplitLimits Limits = new(MaxBytes: 100_000) { MaxMessages = 5, MaxDepth = 4 };

    [Theory]
    [InlineData("application/json", """{"hr":1}""", """{"Body":{"hr":1}}""")]
    [InlineData("application/json; charset=utf-8", """ [ {"hr":1} , {"hr":2} ] """, """{"Body":{"hr":1}} {"Body":{"hr":2}}""")]
    [InlineData("APPLICATION/JSON", """[{"Body":{"hr":1},"Properties":{}}]""", """{"Body":{"hr":1},"Properties":{}}""")]
    [InlineData("application/json", """[[{"hr":1}],7,"x",null]""", """{"Body":[{"hr":1}]} {"Body":7} {"Body":"x"} {"Body":null}""")]
    [InlineData("application/json", """{"data":{"Body":1}}""", """{"Body":{"data":{"Body":1}}}""")]
    [InlineData("application/json", "[]", "")]
    [InlineData("application/json", "\uFEFF7", """{"Body":7}""")]
    [InlineData("application/x-ndjson", "{\"hr\":1}\r\n\n  \n{\"hr\":2}", """{"Body":{"hr":1}} {"Body":{"hr":2}}""")]
    [InlineData("application/jsonl", "[1]\n", """{"Body":[1]}""")]
    [InlineData("text/csv", "id,time,gl\r\nS1,2015-06-06 16:50:27,153\r\n", """{"Body":{"id":"S1","time":"2015-06-06 16:50:27","gl":"153"}}""")]
    [InlineData("text/csv", "\"\",id,note\n1,\"a,b\",\"say \"\"hi\"\"\nthere\"\n\n2,c,\n", """{"Body":{"id":"a,b","note":"say \"hi\"\nthere"}} {"Body":{"id":"c","note":""}}""")]
    public void A_body_becomes_one_envelope_per_message(string contentType, string body, string envelopes)
    {
        var entries = Split(contentType, body).Require();
        Assert.Equal(envelopes, string.Join(' ', entries.Select(entry => Encoding.UTF8.GetString(((MessageEntry.Taken)entry).Reading.Envelope.Span))));
        Assert.Equal(Enumerable.Range(0, entries.Count), entries.Select(entry => entry.Index));
    }

    [Theory]
    [InlineData("application/json", """[{"a":1},{"a":1,"a":2},{"a":3}]""", "IOMT-0504", 1, 18)]
    [InlineData("application/json", """[1,{"a":{"b":1,"\u0062":2}},3]""", "IOMT-0504", 1, 17)]
    [InlineData("application/json", """[1,[[[[[2]]]]],3]""", "IOMT-0503", 1, 8)]
    [InlineData("application/json", """[1,"\ud800",3]""", "IOMT-0506", 1, 4)]
    [InlineData("application/x-ndjson", "1\n{\"a\":}\n3", "IOMT-0500", 2, 6)]
    [InlineData("application/x-ndjson", "1\n2 2\n3", "IOMT-0500", 2, 3)]
    [InlineData("application/x-ndjson", "1\n{\"a\":1,\"a\":2}\n3", "IOMT-0504", 2, 9)]
    [InlineData("text/csv", "a,b\n1,2\n3\n4,5", "IOMT-0508", 3, 1)]
    [InlineData("text/csv", "a,b\n1,2\n3,\"x\"y\n4,5", "IOMT-0509", 3, 1)]
    [InlineData("text/csv", "a,b\n1,2\n3,\"x\n4,5", "IOMT-0509", 3, 1)]
    public void A_broken_message_is_refused_alone(string contentType, string body, string code, int line, int column)
    {
        var entries = Split(contentType, body).Require();
        Assert.Equal([true, false, true], entries.Select(entry => entry is MessageEntry.Taken));
        var refused = Assert.IsType<MessageEntry.Refused>(entries[1]);
        Assert.Equal(code, refused.Issue.Code);
        Assert.Equal(new TextPosition(line, column), refused.Issue.Position);
        Assert.False(refused.Payload.IsEmpty);
    }

    [Theory]
    [InlineData("application/json", "", "IOMT-0510")]
    [InlineData("application/json", "{\"a\":1", "IOMT-0500")]
    [InlineData("application/json", "{\"a\":1}{\"a\":2}", "IOMT-0500")]
    [InlineData("application/json", "[1,2,3,4,5,6]", "IOMT-0505")]
    [InlineData("application/x-ndjson", "1\n2\n3\n4\n5\n6", "IOMT-0505")]
    [InlineData("text/csv", "a\n1\n2\n3\n4\n5\n6", "IOMT-0505")]
    [InlineData("text/csv", "a,a\n1,2", "IOMT-0507")]
    [InlineData("text/csv", ",\n1,2", "IOMT-0507")]
    [InlineData("application/pdf", "<a/>", "IOMT-0501")]
    [InlineData("application/xml", "<a/>", "IOMT-0973")]
    [InlineData("application/json; charset=utf-16", "1", "IOMT-0501")]
    public void A_body_that_cannot_be_cut_is_refused_as_a_whole(string contentType, string body, string code) =>
        Assert.Equal(code, Assert.Single(Split(contentType, body).Issues).Code);

    [Fact]
    public void A_body_beyond_the_limit_or_not_in_utf8_is_refused()
    {
        Assert.Equal("IOMT-0502", new MessageSplitter(new SplitLimits(3)).Split("[1,2]"u8.ToArray(), "application/json").Issues[0].Code);
        Assert.Equal("IOMT-0506", new MessageSplitter(Limits).Split(new byte[] { (byte)'"', 0xFF, (byte)'"' }, "application/json").Issues[0].Code);
    }

    [Fact]
    public void An_envelope_is_not_copied()
    {
        var body = """[{"Body":1}]"""u8.ToArray();
        var entry = (MessageEntry.Taken)Assert.Single(new MessageSplitter(Limits).Split(body, "application/json").Require());
        body[9] = (byte)'2';
        Assert.Equal("""{"Body":2}""", Encoding.UTF8.GetString(entry.Reading.Envelope.Span));
    }

    private static Outcome<IReadOnlyList<MessageEntry>> Split(string contentType, string body) =>
        new MessageSplitter(Limits).Split(Encoding.UTF8.GetBytes(body), contentType);
}
