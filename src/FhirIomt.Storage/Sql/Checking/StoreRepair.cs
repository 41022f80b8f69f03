namespace FhirIomt.Storage.Sql.Checking;

/// <summary>Takes all index rows of some resources away and writes them again from the bodies, and takes away what belongs to nothing.</summary>
internal sealed class StoreRepair(IReadOnlyList<long> keys, bool orphans, bool codeSets) : WriteOperation
{
    /// <summary>Each table is read once for so many resources: not every one is kept by key.</summary>
    public const int MaxKeys = 500;

    public override void Run(IWriteTransaction transaction) => ((WriteTransaction)transaction).Repair(keys, orphans, codeSets);
}
