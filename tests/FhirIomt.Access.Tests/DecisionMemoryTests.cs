using System.Reflection;

namespace FhirIomt.Access.Tests;

/// <summary>What was decided for a caller is decided once, and for that caller only.</summary>
public class DecisionMemoryTests
{
    private static readonly AccessUser User = new("u", UserRole.Clinician, "Practitioner/7");

    public static TheoryData<string> Properties =>
        [.. typeof(AccessScope).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name).Except([nameof(AccessScope.Origin), nameof(AccessScope.IsServer)], StringComparer.Ordinal)];

    [Fact]
    public void A_request_from_elsewhere_is_decided_as_the_one_before()
    {
        var scope = Scope();
        var first = (scope with { Origin = new RequestOrigin("10.0.0.1", "1") }).PredicateFor("Observation", ScopeInteractions.Read);
        Assert.Same(first, (scope with { Origin = new RequestOrigin("10.0.0.2", "2") }).PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void With_one_property_changed_it_is_decided_anew(string name)
    {
        var scope = Scope();
        var before = scope.PredicateFor("Observation", ScopeInteractions.Read);
        var changed = scope with { Origin = null };
        var property = typeof(AccessScope).GetProperty(name)!;
        property.SetValue(changed, Other(property.PropertyType));
        Assert.NotSame(before, changed.PredicateFor("Observation", ScopeInteractions.Read));
        Assert.Same(before, scope.PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Fact]
    public void Another_patient_is_another_decision()
    {
        var scope = Scope();
        Assert.Equal(new AccessPredicate.OfPatient("pa"), scope.PredicateFor("Observation", ScopeInteractions.Read));
        Assert.Equal(new AccessPredicate.OfPatient("pb"), (scope with { Patient = "pb" }).PredicateFor("Observation", ScopeInteractions.Read));
        Assert.Equal(new AccessPredicate.OfPatient("pa"), scope.PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Fact]
    public void Rules_that_change_decide_at_once()
    {
        var scope = Scope();
        Assert.IsType<AccessPredicate.OfPatient>(scope.PredicateFor("Observation", ScopeInteractions.Read));
        Assert.IsType<AccessPredicate.Nothing>(scope.By(new AccessRules { Limits = new All() }).PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Fact]
    public void More_types_than_are_kept_are_decided_as_well()
    {
        var (scope, fresh) = (Scope(), Scope());
        foreach (var type in Given.Policy.Definitions.ResourceTypes)
        {
            foreach (var interaction in new[] { ScopeInteractions.Read, ScopeInteractions.Search, ScopeInteractions.Create })
            {
                var first = scope.PredicateFor(type, interaction);
                Assert.Equal(first.GetType(), scope.PredicateFor(type, interaction).GetType());
                Assert.Equal(first.GetType(), (fresh with { Patient = new string("pa") }).PredicateFor(type, interaction).GetType());
            }
        }
    }

    [Fact]
    public void Scopes_are_the_same_whatever_is_remembered_of_them()
    {
        var scope = Scope();
        var copy = scope with { Origin = scope.Origin };
        copy.By(AccessRules.None).PredicateFor("Observation", ScopeInteractions.Read);
        Assert.Equal(scope, copy.By(AccessRules.None));
    }

    private static AccessScope Scope() => Given.Token("patient/*.rs") with { Patient = "pa" };

    private static object Other(Type type) =>
        type == typeof(string) ? new string("other")
        : type == typeof(AccessUser) ? User
        : type == typeof(AccessRules) ? new AccessRules()
        : Given.Token("patient/*.rs").Scopes;

    private sealed class All : AccessLimits
    {
        public override AccessPredicate On(string resourceType, ScopeInteractions interaction) => AccessPredicate.Nothing.Instance;
    }
}
