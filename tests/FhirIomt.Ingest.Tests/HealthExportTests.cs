using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml;
using FhirIomt.Ingest.HealthExport;
using FhirIomt.Tests;

namespace FhirIomt.Ingest.Tests;

/// <summary>The scanner of Apple's export says what the framework's reader of XML says, and refuses what that refuses, at the same line.</summary>
public sealed class HealthExportTests
{
    private const string Record = """<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="W" device="&lt;&lt;HKDevice: 0x1&gt;, name:W&gt;" unit="count/min" startDate="2018-09-10 02:28:55 -0700" endDate="2018-09-10 02:28:55 -0700" value="72"/>""";

    public static TheoryData<string> Exports =>
    [
        $"<HealthData>{Record}</HealthData>",
        $"\uFEFF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<HealthData locale='de'>\r\n {Record}\r\n</HealthData>\n<!-- end --><?pi?> ",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?><HealthData/>",
        "<HealthData><Record a=\"1&#10;2&#x9;3\t4\r\n5\n6\r7\" b='\"\\&quot;&apos;' c=\"’ü漢😀&#128512;\" d=\"\" e = 'x' /></HealthData>",
        "<HealthData><Record a=\"1\"><MetadataEntry key=\"k\" value=\"v\"/><MetadataEntry key=\"k\" value=\"other\"/><MetadataEntry key=\"a&quot;b\"/><MetadataEntry value=\"x\"/><Record b=\"2\"><MetadataEntry key=\"k\" value=\"inner\"/></Record><X><Record c=\"3\"/></X><MetadataEntry key=\"l\" value=\"w\">text<Y/></MetadataEntry><Record/></Record></HealthData>",
        "<!DOCTYPE HealthData [\n<!-- a > b -->\n<!ELEMENT HealthData (Record*)>\n<!ATTLIST Record type CDATA #REQUIRED\n unit CDATA \"]>\" >\n<!ENTITY x 'it is \">'>\n]>\n<HealthData><Record a='1'/></HealthData>",
        "<!DOCTYPE HealthData SYSTEM \"a>b\"><HealthData><Record a='1'/></HealthData>",
        "<HealthData>text &amp; more ]] > <![CDATA[<Record/> & ]] ]]><!-- <Record/> - --><?x <Record/>?><Workout w='1'> t <WorkoutEvent e='1'/></Workout><ActivitySummary s='2'/><Correlation><Record r='1'/><Record r='2'></Record></Correlation><Other><Record/></Other></HealthData>",
        "<HealthData  a='1'  ><Record\n\ta='1'\n/ ></HealthData>".Replace("/ >", "/>"),
        "<HealthData><Record _a-b.c='1' ü='2'></Record  ></HealthData >",
    ];

    public static TheoryData<string> Broken =>
    [
        "", "   ", "text", "<Other/>", "<HealthData>", "<HealthData><Record", "<HealthData><Record a", "<HealthData><Record a=", "<HealthData><Record a=\"1", "<HealthData><Record a=\"1\"", "<HealthData><Record a=\"1\"/", "<HealthData><Record a=\"1\"/>",
        "<HealthData>\n<Record a=\"1\" a=\"2\"/></HealthData>",
        "<HealthData>\n<Record a=\"1\"b=\"2\"/></HealthData>",
        "<HealthData>\n<Record a='<'/></HealthData>",
        "<HealthData>\n<Record a=1/></HealthData>",
        "<HealthData>\n<Record a/></HealthData>",
        "<HealthData>\n<Record 1='a'/></HealthData>",
        "<HealthData>\n<Record a='&x;'/></HealthData>",
        "<HealthData>\n<Record device='&x;'/></HealthData>",
        "<HealthData>\n<Record a='&#0;'/></HealthData>",
        "<HealthData>\n<Record a='&#xD800;'/></HealthData>",
        "<HealthData>\n<Record a='& '/></HealthData>",
        "<HealthData>\n<Record a='&amp'/></HealthData>",
        "<HealthData>\n&x;</HealthData>",
        "<HealthData>\n]]></HealthData>",
        "<HealthData>\n<Record></Rekord></HealthData>",
        "<HealthData>\n<Record></HealthData>",
        "<HealthData></HealthData>\n</HealthData>",
        "<HealthData></HealthData>\n<Record/>",
        "<HealthData></HealthData>\ntext",
        "<HealthData></HealthData>\n<![CDATA[x]]>",
        "<HealthData>\n<!-- a -- b --></HealthData>",
        "<HealthData>\n<!-- a",
        "<HealthData>\n<![CDATA[ a",
        "<HealthData>\n<?xml version='1.0'?></HealthData>",
        "<HealthData>\n<!ELEMENT x></HealthData>",
        "<HealthData>\n<?x> <?y?></HealthData>",
        "<HealthData>\n<></HealthData>",
        "<HealthData>\n< Record/></HealthData>",
        "<HealthData>\n<Record a='1' / ></HealthData>",
        "<HealthData>\n<Record a='\u0001'/></HealthData>",
        "<HealthData>\n<Record a='\uFFFF'/></HealthData>",
        "<HealthData/>\n<!DOCTYPE HealthData>",
        "<!DOCTYPE HealthData [\n<!ELEMENT a",
        " <?xml version='1.0'?><HealthData/>",
        "<?xml version='1.0'?>\n<?xml version='1.0'?><HealthData/>",
    ];

    [Theory]
    [MemberData(nameof(Exports))]
    public void An_export_gives_what_a_reader_of_XML_finds(string export)
    {
        var bytes = Encoding.UTF8.GetBytes(export);
        Assert.Equal(ByXmlReader(bytes), Scanned(bytes));
        Assert.DoesNotContain(Scanned(bytes), entry => entry.StartsWith("error", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_no_export_is_refused_where_a_reader_of_XML_refuses_it(string export)
    {
        var bytes = Encoding.UTF8.GetBytes(export);
        Assert.StartsWith("error", Scanned(bytes)[^1], StringComparison.Ordinal);
        Assert.True(IsSame(Scanned(bytes), ByXmlReader(bytes)), string.Join('\n', Scanned(bytes).Concat(ByXmlReader(bytes))));
    }

    [Theory]
    [InlineData("HealthKit", "apple-health/healthkit-to-sqlite_export.xml")]
    [InlineData("in a ZIP", "apple-health/healthkit-to-sqlite_zip_export.xml")]
    public void The_exports_at_hand_give_what_a_reader_of_XML_finds(string what, string file)
    {
        Assert.NotEmpty(what);
        var bytes = File.ReadAllBytes(SharedData.Require("device-data/" + file));
        Assert.NotEmpty(Scanned(bytes));
        Assert.Equal(ByXmlReader(bytes), Scanned(bytes));
    }

    [Fact]
    public void Tags_and_characters_may_be_cut_anywhere()
    {
        // The window's end moves over the records byte by byte.
        var record = """<Record type="HKÜ漢😀" value="a&amp;&#x1F600;b"> &amp; t <MetadataEntry key="k" value="v"/><!-- c --><![CDATA[ d ]]></Record>""";
        var bytes = record.Length;
        for (var shift = 0; shift < bytes; shift++)
        {
            var export = Encoding.UTF8.GetBytes($"<HealthData>{new string(' ', shift)}{string.Concat(Enumerable.Repeat(record, 1500))}</HealthData>");
            var found = Scanned(export);
            Assert.Equal(1500, found.Count);
            Assert.Single(found.Distinct(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void A_mutated_export_is_taken_or_refused_as_a_reader_of_XML_takes_or_refuses_it()
    {
        var random = new Random(20260322);
        var seed = Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [ <!ELEMENT a (b)> ]>\n<HealthData>\n{Record}\n<Correlation a='&lt;'><Record b=\"ü\"><MetadataEntry key='k' value=\"v\"/></Record></Correlation><!-- c --><![CDATA[d]]> </HealthData>\n");
        var root = seed.AsSpan().IndexOf("<HealthData>"u8);
        var alphabet = "<>/\"'&;!?[]-= \n\taR\u0001ü"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = seed.ToList();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var at = random.Next(root, bytes.Count);
                switch (random.Next(3))
                {
                    case 0:
                        bytes[at] = alphabet[random.Next(alphabet.Length)];
                        break;
                    case 1:
                        bytes.RemoveAt(at);
                        break;
                    default:
                        bytes.Insert(at, alphabet[random.Next(alphabet.Length)]);
                        break;
                }
            }

            byte[] mutated = [.. bytes];
            if (!System.Text.Unicode.Utf8.IsValid(mutated))
            {
                // The framework's reader passes over half a character behind the root.
                continue;
            }

            var (own, xml) = (Scanned(mutated), ByXmlReader(mutated));
            // Where markup is broken open, the two may find out lines apart.
            Assert.True(IsSame(own, xml, linesApart: int.MaxValue), $"{Encoding.UTF8.GetString(mutated)}\n\n{string.Join('\n', own)}\n\n{string.Join('\n', xml)}");
        }
    }

    [Fact]
    public void A_DTD_is_passed_over_and_nothing_of_it_believed()
    {
        const string Dtd = "<!DOCTYPE HealthData [\n<!-- it's > ]> -->\n<?pi ]> \" ?>\n<!ENTITY x 'it is \">'>\n<!ENTITY y '&x;&x;'>\n<!ATTLIST Record b CDATA 'default'>\n]>\n";
        Assert.Equal(["""{"Body":{"Record":{"a":"1"}}}"""], Scanned(Encoding.UTF8.GetBytes(Dtd + "<HealthData><Record a='1'/></HealthData>")));
        Assert.Equal(["error 8"], Scanned(Encoding.UTF8.GetBytes(Dtd + "<HealthData><Record a='&y;'/></HealthData>")));
        Assert.Equal(["error 2"], Scanned("<!DOCTYPE HealthData>\n<!DOCTYPE HealthData><HealthData/>"u8.ToArray()));
    }

    [Fact]
    public void What_grows_without_end_is_refused()
    {
        Assert.Contains("bytes", Failure($"<HealthData><Record a=\"{new string('x', 2_000_000)}\"/></HealthData>"), StringComparison.Ordinal);
        Assert.Contains("nested", Failure("<HealthData>" + string.Concat(Enumerable.Repeat("<Record>", 100))), StringComparison.Ordinal);
        Assert.Contains("attributes", Failure("<HealthData><Record " + string.Concat(Enumerable.Range(0, 100).Select(number => $"a{number}='' ")) + "/></HealthData>"), StringComparison.Ordinal);
        Assert.Contains("metadata", Failure("<HealthData><Record>" + string.Concat(Enumerable.Range(0, 2000).Select(number => $"<MetadataEntry key='{number}'/>")) + "</Record></HealthData>"), StringComparison.Ordinal);
        Assert.Contains("prefix", Failure("<HealthData><Record x:a=''/></HealthData>"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("iso-8859-1")]
    public void Another_encoding_is_read_too(string encoding)
    {
        var text = $"<?xml version=\"1.0\" encoding=\"{encoding}\"?><HealthData><Record a=\"ü\"/></HealthData>";
        var bytes = Encoding.GetEncoding(encoding).GetPreamble().Concat(Encoding.GetEncoding(encoding).GetBytes(text)).ToArray();
        Assert.Equal(["""{"Body":{"Record":{"a":"ü"}}}"""], Scanned(bytes));
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused_where_they_stand()
    {
        byte[] bytes = [.. "<HealthData>\n<Record a='1'/>\n<Record a='"u8, 0xC3, 0x28, .. "'/></HealthData>"u8];
        Assert.Equal(["""{"Body":{"Record":{"a":"1"}}}""", "error 3"], Scanned(bytes));
        var position = Assert.Throws<XmlException>(() => ReadAll(new HealthExportReader(new MemoryStream(bytes))));
        Assert.Equal((3, 12), (position.LineNumber, position.LinePosition));
    }

    // A reader that looks a node ahead refuses at the same place, but has not told of the entry before it.
    private static bool IsSame(List<string> own, List<string> xml, int linesApart = 0) =>
        own.SequenceEqual(xml) || (ErrorLine(own) is { } line && ErrorLine(xml) is { } other && Math.Abs(line - other) <= linesApart && own[..^1].Take(xml.Count - 1).SequenceEqual(xml[..^1]));

    private static int? ErrorLine(List<string> told) => told.Count > 0 && told[^1].StartsWith("error ", StringComparison.Ordinal) ? int.Parse(told[^1].AsSpan(6), CultureInfo.InvariantCulture) : null;

    private static string Failure(string export) => Assert.Throws<XmlException>(() => ReadAll(new HealthExportReader(new MemoryStream(Encoding.UTF8.GetBytes(export))))).Message;

    private static List<string> Scanned(byte[] export)
    {
        using var reader = new HealthExportReader(new MemoryStream(export));
        return Told(reader.Next);
    }

    private static List<string> ByXmlReader(byte[] export)
    {
        using var reader = new AnyXmlReader(new MemoryStream(export));
        return Told(reader.Next);
    }

    private static List<string> Told(Func<IBufferWriter<byte>, bool> next)
    {
        var told = new List<string>();
        var buffer = new ArrayBufferWriter<byte>();
        try
        {
            while (next(buffer))
            {
                told.Add(JsonNode.Parse(buffer.WrittenSpan)!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
                buffer.ResetWrittenCount();
            }
        }
        catch (XmlException exception)
        {
            told.Add($"error {Math.Max(exception.LineNumber, 1)}");
        }

        return told;
    }

    private static int ReadAll(HealthExportReader reader)
    {
        using (reader)
        {
            var count = 0;
            while (reader.Next(new ArrayBufferWriter<byte>()))
            {
                count++;
            }

            return count;
        }
    }
}
