namespace FhirIomt.Access;

/// <summary>What is taken away from a caller whatever its scopes and policy grant.</summary>
public abstract class AccessLimits
{
    public static AccessLimits None { get; } = new Nowhere();

    /// <summary>What is left of a type.</summary>
    public abstract AccessPredicate On(string resourceType, ScopeInteractions interaction);

    private sealed class Nowhere : AccessLimits
    {
        public override AccessPredicate On(string resourceType, ScopeInteractions interaction) => AccessPredicate.Everything.Instance;
    }
}
