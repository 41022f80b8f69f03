namespace FhirIomt.Architecture.Tests;

/// <summary>The projects table of docs/architecture.md (DESIGN.md): dependencies point one way.</summary>
public sealed class ProjectReferenceTests
{
    // What each project may reference; it may use less. Server may reference everything.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["FhirIomt.Core"] = [],
        ["FhirIomt.Fhir"] = ["FhirIomt.Core"],
        ["FhirIomt.Access"] = ["FhirIomt.Core", "FhirIomt.Fhir"],
        ["FhirIomt.Ingest"] = ["FhirIomt.Core"],
        ["FhirIomt.Mapping"] = ["FhirIomt.Core", "FhirIomt.Fhir", "FhirIomt.Ingest"],
        ["FhirIomt.Validation"] = ["FhirIomt.Core", "FhirIomt.Fhir"],
        ["FhirIomt.Storage"] = ["FhirIomt.Core", "FhirIomt.Fhir", "FhirIomt.Access"],
        ["FhirIomt.Repository"] = ["FhirIomt.Core", "FhirIomt.Fhir", "FhirIomt.Access", "FhirIomt.Validation", "FhirIomt.Storage"],
        ["FhirIomt.Smart"] = ["FhirIomt.Core", "FhirIomt.Fhir", "FhirIomt.Access", "FhirIomt.Storage", "FhirIomt.Repository"],
        ["FhirIomt.Api"] = ["FhirIomt.Core", "FhirIomt.Fhir", "FhirIomt.Access", "FhirIomt.Validation", "FhirIomt.Storage", "FhirIomt.Repository", "FhirIomt.Smart"],
    };

    private const string Server = "FhirIomt.Server";

    public static TheoryData<string> RestrictedProjects => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(RestrictedProjects))]
    public void A_project_references_only_what_the_table_allows(string project)
    {
        var tooMany = Repository.ReferencesOf(Repository.Projects("src")[project]).Except(Allowed[project], StringComparer.Ordinal);
        Assert.Empty(tooMany);
    }

    [Fact]
    public void Every_source_project_is_in_the_table()
    {
        Assert.Equal([.. Allowed.Keys.Append(Server).Order(StringComparer.Ordinal)], Repository.Projects("src").Keys.Where(name => name != "FhirIomt.Web").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Source_projects_reference_source_projects_only()
    {
        var known = Repository.Projects("src").Keys.ToHashSet(StringComparer.Ordinal);
        Assert.All(Repository.Projects("src").Values, file => Assert.Subset(known, Repository.ReferencesOf(file).ToHashSet(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    public void Every_project_is_in_the_solution(string folder)
    {
        var solution = Repository.Text("FhirIomt.sln").Replace('\\', '/');
        Assert.All(Repository.Projects(folder), project => Assert.Contains($"\"{Path.GetRelativePath(Repository.Root, project.Value).Replace('\\', '/')}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_source_project_with_code_has_a_test_project()
    {
        var tested = Repository.Projects("tests").Keys.ToHashSet(StringComparer.Ordinal);
        Assert.All(Allowed.Keys.Append(Server), project => Assert.Contains($"{project}.Tests", tested));
    }

    [Fact]
    public void Only_the_storage_project_knows_a_database_engine()
    {
        string[] engines = ["Microsoft.Data.Sqlite.Core", "SQLitePCLRaw.bundle_e_sqlite3", "Npgsql", "Microsoft.Data.SqlClient"];
        var others = Repository.Projects("src").Where(project => project.Key != "FhirIomt.Storage").Select(project => File.ReadAllText(project.Value));
        Assert.All(others, text => Assert.All(engines, engine => Assert.DoesNotContain(engine, text, StringComparison.Ordinal)));
    }
}
