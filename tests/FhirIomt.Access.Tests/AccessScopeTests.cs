namespace FhirIomt.Access.Tests;

public sealed class AccessScopeTests
{
    [Fact]
    public void A_token_without_scopes_sees_nothing() =>
        Assert.IsType<AccessPredicate.Nothing>(new AccessScope { Actor = "client/test" }.PredicateFor("Patient", ScopeInteractions.Read));

    [Fact]
    public void The_server_itself_sees_everything() =>
        Assert.IsType<AccessPredicate.Everything>(AccessScope.Server.PredicateFor("AuditEvent", ScopeInteractions.Delete));

    [Theory]
    [InlineData("system/Observation.r", ScopeInteractions.Read, true)]
    [InlineData("system/Observation.r", ScopeInteractions.Search, false)]
    [InlineData("system/Observation.s", ScopeInteractions.Read, false)]
    [InlineData("system/Observation.r system/Observation.s", ScopeInteractions.Search, true)]
    [InlineData("system/Patient.cruds", ScopeInteractions.Read, false)]
    [InlineData("system/*.u", ScopeInteractions.Update, true)]
    [InlineData("system/*.u", ScopeInteractions.Create, false)]
    public void Scopes_are_a_union_and_grant_only_what_they_name(string scopes, ScopeInteractions interaction, bool granted)
    {
        var predicate = Given.Token(scopes).PredicateFor("Observation", interaction);
        Assert.Equal(granted ? typeof(AccessPredicate.Everything) : typeof(AccessPredicate.Nothing), predicate.GetType());
    }

    [Fact]
    public void A_granular_scope_filters_and_a_wider_one_beside_it_lifts_the_filter()
    {
        var granular = Given.Token("system/Observation.rs?category=vital-signs");
        var any = Assert.IsType<AccessPredicate.Any>(granular.PredicateFor("Observation", ScopeInteractions.Search));
        Assert.IsType<AccessPredicate.Meets>(Assert.Single(any.Alternatives));

        var both = Given.Token("system/Observation.rs?category=vital-signs system/*.r");
        Assert.IsType<AccessPredicate.Everything>(both.PredicateFor("Observation", ScopeInteractions.Read));
        Assert.IsType<AccessPredicate.Any>(both.PredicateFor("Observation", ScopeInteractions.Search));
    }

    [Fact]
    public void Two_granular_scopes_are_alternatives()
    {
        var token = Given.Token("system/Observation.r?category=vital-signs system/Observation.r?code=8867-4");
        Assert.Equal(2, Assert.IsType<AccessPredicate.Any>(token.PredicateFor("Observation", ScopeInteractions.Read)).Alternatives.Count);
    }

    [Fact]
    public void A_patient_scope_is_bound_to_the_patient_in_context()
    {
        var any = Assert.IsType<AccessPredicate.Any>(Given.Token("patient/Observation.rs", patient: "pa").PredicateFor("Observation", ScopeInteractions.Read));
        Assert.Equal(new AccessPredicate.OfPatient("pa"), Assert.Single(any.Alternatives));
    }

    [Fact]
    public void A_granular_patient_scope_demands_both()
    {
        var any = Assert.IsType<AccessPredicate.Any>(Given.Token("patient/Observation.rs?category=vital-signs", patient: "pa").PredicateFor("Observation", ScopeInteractions.Read));
        var all = Assert.IsType<AccessPredicate.All>(Assert.Single(any.Alternatives));
        Assert.Equal([typeof(AccessPredicate.OfPatient), typeof(AccessPredicate.Meets)], all.Parts.Select(part => part.GetType()));
    }

    [Fact]
    public void Abuse_59_a_patient_scope_without_a_patient_in_context_fails_closed() =>
        Assert.IsType<AccessPredicate.Nothing>(Given.Token("patient/*.cruds").PredicateFor("Observation", ScopeInteractions.Read));

    [Fact]
    public void Abuse_60_a_user_scope_fails_closed_while_there_are_no_users() =>
        Assert.IsType<AccessPredicate.Nothing>(Given.Token("user/*.cruds", patient: "pa").PredicateFor("Observation", ScopeInteractions.Read));

    [Theory]
    [InlineData("Practitioner")]
    [InlineData("Organization")]
    [InlineData("Location")]
    [InlineData("AuditEvent")]
    [InlineData("Subscription")]
    [InlineData("Group")]
    [InlineData("Task")]
    public void Abuse_61_a_patient_wildcard_does_not_reach_types_outside_the_compartment(string type) =>
        Assert.IsType<AccessPredicate.Nothing>(Given.Token("patient/*.cruds", patient: "pa").PredicateFor(type, ScopeInteractions.Read));
}
