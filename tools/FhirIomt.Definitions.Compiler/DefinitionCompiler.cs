using System.Buffers.Binary;
using System.IO.Compression;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>From the official package to the three books of profiles/r4/r4.definitions. No prose is carried over.</summary>
internal static class DefinitionCompiler
{
    public static byte[][] CompileBooks(PackageSource source)
    {
        return [CompileTypes(source), CompileProfiles(ReadProfiles(source)), CompileCodes(source)];
    }

    public static byte[] Pack(byte[][] books)
    {
        var file = new MemoryStream();
        file.Write(DefinitionFile.Magic);
        var packed = Array.ConvertAll(books, Compress);
        Span<byte> number = stackalloc byte[4];
        for (var index = 0; index < books.Length; index++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(number, books[index].Length);
            file.Write(number);
            BinaryPrimitives.WriteInt32LittleEndian(number, packed[index].Length);
            file.Write(number);
        }

        foreach (var bytes in packed)
        {
            file.Write(bytes);
        }

        return file.ToArray();
    }

    public static byte[] Compress(byte[] bytes)
    {
        var buffer = new byte[BrotliEncoder.GetMaxCompressedLength(bytes.Length)];
        return BrotliEncoder.TryCompress(bytes, buffer, out var written, quality: 11, window: 22)
            ? buffer[..written]
            : throw new InvalidOperationException("Brotli had no room.");
    }

    private static byte[] CompileTypes(PackageSource source)
    {
        var writer = new BookWriter();
        var types = new TypeBook(writer, source);
        var typeDirectory = types.Write();
        var searchDirectory = new SearchBook(writer, source, types.ConcreteResources.ToHashSet(StringComparer.Ordinal)).Write();
        writer.StartDirectory();
        typeDirectory();
        searchDirectory();
        return writer.ToBytes();
    }

    private static List<StructureProfile> ReadProfiles(PackageSource source)
    {
        var profiles = new List<StructureProfile>();
        foreach (var definition in source.All("StructureDefinition"))
        {
            // Two of HL7's examples among the profiles have no snapshot; they are left out.
            if (definition["derivation"u8].TextEquals("constraint"u8) && StructureProfile.FromResource(definition.Tree).TryGetValue(out var profile, out _))
            {
                profiles.Add(profile);
            }
        }

        return profiles;
    }

    private static byte[] CompileProfiles(List<StructureProfile> profiles)
    {
        var writer = new BookWriter();
        new ProfileBook(writer).Write(profiles);
        return writer.ToBytes();
    }

    private static byte[] CompileCodes(PackageSource source)
    {
        var lists = new CodeLists(source);
        var writer = new BookWriter();
        var offsets = new List<(string Url, int Offset)>();
        foreach (var url in BoundValueSets(source))
        {
            if (lists.Expand(url) is { } systems)
            {
                offsets.Add((url, writer.Offset));
                writer.Int(systems.Count);
                foreach (var (system, codes) in systems)
                {
                    writer.Text(system);
                    writer.Texts(codes);
                }
            }
        }

        writer.StartDirectory();
        writer.Int(offsets.Count);
        foreach (var (url, offset) in offsets)
        {
            writer.Text(url);
            writer.Int(offset);
        }

        return writer.ToBytes();
    }

    private static SortedSet<string> BoundValueSets(PackageSource source)
    {
        var bound = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var definition in source.All("StructureDefinition"))
        {
            foreach (var element in definition["snapshot"u8]["element"u8].Items)
            {
                AddBinding(ProfileReader.ReadBinding(element), bound);
            }
        }

        return bound;
    }

    private static void AddBinding(FhirBinding? binding, SortedSet<string> bound)
    {
        if (binding is { Strength: BindingStrength.Required or BindingStrength.Extensible })
        {
            bound.Add(CodeLists.WithoutVersion(binding.ValueSet));
        }

        if (binding?.MaxValueSet is { } limit)
        {
            bound.Add(CodeLists.WithoutVersion(limit));
        }
    }
}
