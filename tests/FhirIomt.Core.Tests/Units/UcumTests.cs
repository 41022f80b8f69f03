using System.Globalization;
using System.Text;
using FhirIomt.Core.Units;

namespace FhirIomt.Core.Tests.Units;

public sealed class UcumTests
{
    [Theory]
    [InlineData("mm[Hg]", "g.m-1.s-2", "133322.0")]
    [InlineData("kPa", "g.m-1.s-2", "1000000")]
    [InlineData("/min", "s-1", null)]
    [InlineData("10*3/uL", "m-3", "1000000000000")]
    [InlineData("10^3/ul", "m-3", "1000000000000")]
    [InlineData("{rbc}", "1", "1")]
    [InlineData("mg{x}/(kg.h)", "s-1", null)]
    [InlineData("cd", "cd", "1")]
    [InlineData("dar", "m2", "10")]
    [InlineData("[IU]/L", "[iU].m-3", "1000")]
    [InlineData("%", "1", "0.01")]
    public void A_code_has_a_canonical_form(string code, string canonical, string? factor)
    {
        var unit = Ucum.Standard.Parse(code).Require();
        Assert.Equal(canonical, unit.CanonicalCode);
        if (factor is not null)
        {
            Assert.Equal(decimal.Parse(factor, CultureInfo.InvariantCulture), unit.CanonicalFactor);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("mmHg")]
    [InlineData("MM[HG]")]
    [InlineData("beats/minute")]
    [InlineData("m//s")]
    [InlineData("m.")]
    [InlineData("(m")]
    [InlineData("m)")]
    [InlineData("()")]
    [InlineData("{a b}")]
    [InlineData("{a")]
    [InlineData("m[Hg")]
    [InlineData("0")]
    [InlineData("m999999999")]
    [InlineData("kmin")]
    [InlineData("°C")]
    [InlineData("m2{a}3")]
    public void What_is_no_code_is_refused_with_its_place(string code)
    {
        var issue = Assert.Single(Ucum.Standard.Parse(code).Issues);
        Assert.StartsWith("IOMT-006", issue.Code, StringComparison.Ordinal);
        Assert.NotNull(issue.Fix);
        Assert.False(Ucum.Standard.IsValid(Encoding.UTF8.GetBytes(code)));
    }

    [Theory]
    [InlineData("37.0", "Cel", "[degF]", "98.6")]
    [InlineData("98.6", "[degF]", "Cel", "37")]
    [InlineData("0", "Cel", "K", "273.15")]
    [InlineData("80", "[degRe]", "Cel", "100")]
    [InlineData("37000", "mCel", "Cel", "37")]
    [InlineData("7.4", "[pH]", "nmol/L", "39.81071705534972507702523051")]
    [InlineData("0.0000001", "mol/L", "[pH]", "7")]
    [InlineData("20", "dB", "1", "100")]
    [InlineData("1000", "1", "dB", "30")]
    [InlineData("1", "Np", "1", "2.718281828459045235360287471")]
    [InlineData("1", "Np", "B", "0.4342944819032518276511289189")]
    [InlineData("8", "bit_s", "1", "256")]
    [InlineData("256", "1", "bit_s", "8")]
    [InlineData("100", "%[slope]", "deg", "45")]
    [InlineData("45", "deg", "%[slope]", "100")]
    [InlineData("2", "B[SPL]", "Pa", "0.0002")]
    [InlineData("3", "[m/s2/Hz^(1/2)]", "m2/s4/Hz", "9")]
    [InlineData("2", "[hp'_C]", "1", "0.0001")]
    [InlineData("1", "[lb_av]", "kg", "0.45359237")]
    [InlineData("120", "mm[Hg]", "kPa", "15.99864")]
    [InlineData("5.5", "mmol/L", "umol/L", "5500")]
    public void Values_convert_exactly(string value, string from, string to, string expected)
    {
        var result = Ucum.Standard.Convert(decimal.Parse(value, CultureInfo.InvariantCulture), from, to);
        Assert.NotNull(result);
        Assert.Equal(decimal.Parse(expected, CultureInfo.InvariantCulture), result.Value, 24);
    }

    [Theory]
    [InlineData("mg", "mL")]
    [InlineData("mg/dL", "mmol/L")]
    [InlineData("[iU]", "1")]
    [InlineData("[arb'U]", "[iU]")]
    [InlineData("Cel/min", "K/min")]
    [InlineData("mmHg", "kPa")]
    public void Units_of_other_kinds_do_not_convert(string from, string to)
    {
        Assert.Null(Ucum.Standard.Convert(1, from, to));
        Assert.False(Ucum.Standard.AreComparable(from, to));
    }

    [Theory]
    [InlineData("1e28", "Ym", "nm")]
    [InlineData("500", "B", "1")]
    [InlineData("1", "[m_e]", "[lb_av]")]
    [InlineData("-1", "1", "B")]
    public void What_no_decimal_can_hold_is_no_answer(string value, string from, string to) =>
        Assert.Null(Ucum.Standard.Convert(decimal.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture), from, to));

    [Fact]
    public void More_codes_than_are_kept_are_still_read()
    {
        for (var number = 1; number < 10_000; number++)
        {
            Assert.True(Ucum.Standard.IsValid($"m/{number}"));
        }

        Assert.True(Ucum.Standard.IsValid("kg"u8));
    }
}
