using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>The file of one signal, or of several that lie in it by turns.</summary>
internal abstract class WfdbSignalFile : IDisposable
{
    /// <summary>Why it cannot be read any further; null when it can, or is at its end. Codes IOMT-0616 and IOMT-0617.</summary>
    public Issue? Problem { get; protected set; }

    /// <summary>The samples of its signals in the next frame, one signal's behind the other's; false when there are not that many.</summary>
    public abstract bool TryRead(Span<int> frame);

    /// <summary>Why it is not the file that was written, where it ends here and has something to hold it to.</summary>
    public virtual Issue? CheckEnd() => null;

    public abstract void Dispose();
}
