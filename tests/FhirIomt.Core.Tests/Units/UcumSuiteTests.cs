using System.Globalization;
using System.Xml.Linq;
using FhirIomt.Core.Units;
using FhirIomt.Tests;

namespace FhirIomt.Core.Tests.Units;

/// <summary>The UCUM functional tests, both of their files.</summary>
public sealed class UcumSuiteTests
{
    [Theory]
    [InlineData("UcumFunctionalTests.xml")]
    [InlineData("UcumFunctionalTests.2.xml")]
    public void Every_case_passes_but_those_listed_with_a_reason(string file)
    {
        var root = XDocument.Load(SharedData.Require("conformance/ucum/" + file)).Root!;
        var run = new List<string>();
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var test in root.Descendants("case"))
        {
            var name = $"{file}/{test.Parent!.Name.LocalName}/{test.Attribute("id")!.Value}";
            var difference = test.Parent.Name.LocalName switch
            {
                "validation" => Validate(test),
                "conversion" => Convert(test),
                "multiplication" => Combine(test, isDivision: false),
                "division" => Combine(test, isDivision: true),
                _ => "not run",
            };
            if (difference == "not run")
            {
                continue;
            }

            run.Add(name);
            if (difference is not null)
            {
                failed[name] = difference;
            }
        }

        CaseList.MustMatch("Units/ucum-suite-not-passed.txt", run, failed);
    }

    private static string? Validate(XElement test)
    {
        var unit = test.Attribute("unit")!.Value;
        var outcome = Ucum.Standard.Parse(unit);
        return outcome.Succeeded == (test.Attribute("valid")!.Value == "true") ? null : $"'{unit}': {(outcome.Succeeded ? "valid" : outcome.Issues[0].Message)}";
    }

    private static string? Convert(XElement test)
    {
        var (from, to) = (test.Attribute("srcUnit")!.Value, test.Attribute("dstUnit")!.Value);
        var result = Ucum.Standard.Convert(Number(test.Attribute("value")!.Value), from, to);
        return Compare(result, test.Attribute("outcome")!.Value);
    }

    private static string? Combine(XElement test, bool isDivision)
    {
        var one = new UcumQuantity(Number(test.Attribute("v1")!.Value), Ucum.Standard.Parse(test.Attribute("u1")!.Value).Require());
        var other = new UcumQuantity(Number(test.Attribute("v2")!.Value), Ucum.Standard.Parse(test.Attribute("u2")!.Value).Require());
        var unit = test.Attribute("uRes")!.Value is { Length: > 0 } code ? code : "1";
        var result = isDivision ? one.Divide(other) : one.Multiply(other);
        return Compare(result?.Unit.Convert(result.Value.Value, Ucum.Standard.Parse(unit).Require()), test.Attribute("vRes")!.Value);
    }

    // To as many digits as the case states.
    private static string? Compare(decimal? actual, string expected)
    {
        var wanted = Number(expected);
        var mantissa = expected.Split('e', 'E')[0].TrimStart('-', '0', '.').Replace(".", "", StringComparison.Ordinal);
        return actual is { } value && (value == wanted || Round(value, mantissa.Length) == Round(wanted, mantissa.Length)) ? null : $"{actual} and not {expected}";
    }

    private static string Round(decimal value, int digits) => value.ToString("E" + Math.Max(0, digits - 1), CultureInfo.InvariantCulture);

    private static decimal Number(string text) => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
