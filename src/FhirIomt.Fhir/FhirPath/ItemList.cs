using System.Collections;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>A collection of items; buffers are used again within an evaluation.</summary>
internal sealed class ItemList : IReadOnlyList<FhirPathItem>
{
    private FhirPathItem[] _items = new FhirPathItem[4];

    public int Count { get; private set; }

    public bool IsEmpty => Count == 0;

    FhirPathItem IReadOnlyList<FhirPathItem>.this[int index] => this[index];

    public ref readonly FhirPathItem this[int index] => ref _items.AsSpan(0, Count)[index];

    public ReadOnlySpan<FhirPathItem> Span => _items.AsSpan(0, Count);

    public void Add(in FhirPathItem item)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }

        _items[Count++] = item;
    }

    public void AddRange(ItemList other)
    {
        foreach (ref readonly var item in other.Span)
        {
            Add(item);
        }
    }

    public void Add(bool? value)
    {
        if (value is { } known)
        {
            Add(FhirPathItem.Boolean(known));
        }
    }

    public void Clear() => Count = 0;

    public FhirPathItem[] ToArray() => Count == 0 ? [] : Span.ToArray();

    public IEnumerator<FhirPathItem> GetEnumerator() => ((IEnumerable<FhirPathItem>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
