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
        Assert.IsType<AccessPredicate.Meets>(granular.PredicateFor("Observation", ScopeInteractions.Search));

        var both = Given.Token("system/Observation.rs?category=vital-signs system/*.r");
        Assert.IsType<AccessPredicate.Everything>(both.PredicateFor("Observation", ScopeInteractions.Read));
        Assert.IsType<AccessPredicate.Meets>(both.PredicateFor("Observation", ScopeInteractions.Search));
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
        Assert.Equal(new AccessPredicate.OfPatient("pa"), Given.Token("patient/Observation.rs", patient: "pa").PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Fact]
    public void A_granular_patient_scope_demands_both()
    {
        var all = Assert.IsType<AccessPredicate.All>(Given.Token("patient/Observation.rs?category=vital-signs", patient: "pa").PredicateFor("Observation", ScopeInteractions.Read));
        Assert.Equal([typeof(AccessPredicate.OfPatient), typeof(AccessPredicate.Meets)], all.Parts.Select(part => part.GetType()));
    }

    [Fact]
    public void A_patient_among_those_of_a_policy_is_asked_for_alone_and_another_one_never_leaves()
    {
        var (own, policy) = (new AccessPredicate.OfPatient("pa"), new AccessPredicate.OfPatients(PatientSet.Of(["pa", "pb"])));
        Assert.Same(own, AccessPredicate.Both(own, policy));
        var stranger = new AccessPredicate.OfPatient("px");
        Assert.Equal([stranger, policy], Assert.IsType<AccessPredicate.All>(AccessPredicate.Both(stranger, policy)).Parts);
    }

    [Fact]
    public void Within_a_search_for_one_patient_a_set_shrinks_wherever_it_stands_and_the_rest_stays()
    {
        var (labelled, set) = (new AccessPredicate.WithId("x"), new AccessPredicate.OfPatients(PatientSet.Of(["pa", "pb"])));
        var all = AccessPredicate.Both(set, new AccessPredicate.Not(labelled));
        var within = Assert.IsType<AccessPredicate.All>(all.Within(["pb", "px"]));
        Assert.Equal(["pb"], Assert.IsType<AccessPredicate.OfPatients>(within.Parts[0]).Patients.Ids);
        Assert.Same(((AccessPredicate.All)all).Parts[1], within.Parts[1]);
        Assert.Equal(0, Assert.IsType<AccessPredicate.OfPatients>(Assert.IsType<AccessPredicate.Not>(new AccessPredicate.Not(set).Within(["px"])).Inner).Patients.Count);

        var ofOne = AccessPredicate.Both(new AccessPredicate.OfPatient("pa"), new AccessPredicate.Not(labelled));
        Assert.Same(ofOne, ofOne.Within(["pa"]));
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
