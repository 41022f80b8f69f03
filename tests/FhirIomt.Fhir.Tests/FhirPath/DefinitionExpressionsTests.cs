using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;

namespace FhirIomt.Fhir.Tests.FhirPath;

public sealed class DefinitionExpressionsTests
{
    private static FhirDefinitions R4 => FhirDefinitions.R4;

    [Fact]
    public void Every_constraint_of_the_types_compiles()
    {
        var constraints = R4.Types.SelectMany(type => type.Constraints.Concat(type.Elements.SelectMany(element => element.Constraints))).Distinct().ToList();
        Assert.True(constraints.Count > 200);
        Assert.Equal("", Refused(constraints.Select(constraint => constraint.Expression)));
    }

    [Fact]
    public void Every_constraint_of_the_profiles_compiles() =>
        Assert.Equal("", Refused(R4.ProfileUrls.SelectMany(url => R4.Profile(url)!.Elements).SelectMany(element => element.Constraints).Select(constraint => constraint.Expression)));

    [Fact]
    public void Every_search_expression_compiles()
    {
        var parameters = R4.ResourceTypes.SelectMany(R4.SearchParameters).ToList();
        Assert.Equal("", Refused(parameters.Select(parameter => parameter.Expression!)));
        Assert.Equal("", Refused(parameters.SelectMany(parameter => parameter.Components).Select(component => component.Expression)));
    }

    private static string Refused(IEnumerable<string> expressions) => string.Join('\n', expressions.Distinct(StringComparer.Ordinal)
        .Select(expression => (expression, outcome: FhirPathExpression.Compile(expression, R4))).Where(pair => !pair.outcome.Succeeded)
        .Select(pair => $"{pair.expression}: {pair.outcome.Issues[0].Message}"));
}
