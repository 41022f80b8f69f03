using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Bench;

/// <summary>FHIRPath expressions compiled once, over one parsed Observation, beside fhirpath.js with the same.</summary>
internal static class FhirPathBenchmarks
{
    private const string Path = "code.coding.code";
    private const string Condition = "code.coding.exists(system = 'http://loinc.org') and value.value > 5";

    public static void Run(CodeMeter meter, byte[] observation, Engines engines)
    {
        if (!meter.Wants("FHIRPath"))
        {
            return;
        }

        var focus = FhirPathItem.Resource(JsonTree.Parse(observation).Require(), FhirDefinitions.R4);
        var environment = new FhirPathEnvironment { Resource = focus };
        var path = FhirPathExpression.Compile(Path, FhirDefinitions.R4).Require();
        var condition = FhirPathExpression.Compile(Condition, FhirDefinitions.R4).Require();
        if (path.Evaluate(focus, environment).Count == 0 || !condition.IsTrue(focus, environment))
        {
            throw new InvalidOperationException("the expressions select nothing");
        }

        var others = engines.FhirPath(Path, Condition);
        meter.Rate("FHIRPath code.coding.code", () => path.Evaluate(focus, environment), "≥ 2,000,000/s, ≥ 10 × fhirpath.js", Other(others, 0));
        meter.Rate("FHIRPath exists and compare", () => condition.IsTrue(focus, environment) ? path : null, "≥ 500,000/s, ≥ 10 × fhirpath.js", Other(others, 1));
    }

    private static (string Name, double Value)? Other(double[]? figures, int index) => figures is null ? null : ("fhirpath.js", figures[index]);
}
