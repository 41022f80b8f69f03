using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests.FhirPath;

/// <summary>The official examples meet R4's invariants: evaluating all of them on all elements shows that the evaluator reads them as their authors do.</summary>
public sealed class InvariantsOnExamplesTests
{
    private static readonly Dictionary<string, FhirPathExpression> Compiled = new(StringComparer.Ordinal);

    [Fact]
    public void Official_examples_meet_every_invariant()
    {
        var broken = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var evaluated = 0;
        foreach (var (file, bytes) in OfficialExamples.Read())
        {
            var resource = FhirPathItem.Resource(JsonTree.Parse(bytes).Require(), FhirDefinitions.R4);
            Check(resource, resource.Type!.Constraints, resource, resource, file, broken, ref evaluated);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{evaluated} evaluations");
        var text = string.Join('\n', broken.Select(pair => $"{pair.Key} {pair.Value.Count}× {string.Join(", ", pair.Value.Take(3))}"));
        Assert.True(text.Length == 0, text);
    }

    private static void Check(
        FhirPathItem item, IEnumerable<FhirConstraint> own, FhirPathItem resource, FhirPathItem root, string file, SortedDictionary<string, List<string>> broken, ref int evaluated)
    {
        var environment = new FhirPathEnvironment { Resource = resource, RootResource = root };
        foreach (var constraint in own.Where(constraint => constraint.IsError))
        {
            evaluated++;
            if (!Compiled.TryGetValue(constraint.Expression, out var expression))
            {
                Compiled[constraint.Expression] = expression = FhirPathExpression.Compile(constraint.Expression, FhirDefinitions.R4).Require();
            }

            if (!expression.IsMet(item, environment))
            {
                broken.TryAdd(constraint.Key, []);
                broken[constraint.Key].Add($"{file} {item.Type!.Name}");
            }
        }

        foreach (var element in item.Type!.Elements)
        {
            var children = FhirPathExpression.Compile($"`{element.Name}`", FhirDefinitions.R4).Require().Evaluate(item, environment);
            foreach (var child in children)
            {
                var isResource = child.Type!.Kind == FhirTypeKind.Resource;
                Check(child, child.Type.Constraints.Concat(element.Constraints), isResource ? child : resource, element.Name == "contained" ? root : isResource ? child : root, file, broken, ref evaluated);
            }
        }
    }
}
