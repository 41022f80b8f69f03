using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Writes profiles in the order of fields that ProfileTables reads.</summary>
internal sealed class ProfileBook(BookWriter writer)
{
    public void Write(IReadOnlyList<StructureProfile> profiles)
    {
        var offsets = new List<int>();
        foreach (var profile in profiles)
        {
            offsets.Add(writer.Offset);
            WriteProfile(profile);
        }

        writer.StartDirectory();
        writer.Int(profiles.Count);
        foreach (var (profile, offset) in profiles.Zip(offsets))
        {
            writer.Text(profile.Url);
            writer.Int(offset);
        }
    }

    private void WriteProfile(StructureProfile profile)
    {
        writer.OptionalText(profile.Version);
        writer.Text(profile.Type);
        writer.OptionalText(profile.Base);
        writer.Int(profile.Contexts.Count);
        foreach (var context in profile.Contexts)
        {
            writer.Text(context.Kind);
            writer.Text(context.Expression);
        }

        writer.Int(profile.Elements.Count);
        foreach (var element in profile.Elements)
        {
            WriteElement(element);
        }
    }

    private void WriteElement(ProfileElement element)
    {
        writer.Int((element.MustSupport ? 1 : 0) | (element.IsModifier ? 2 : 0));
        writer.Text(element.Id);
        writer.Text(element.Path);
        writer.OptionalText(element.SliceName);
        writer.Int(element.Min);
        writer.OptionalInt(element.Max);
        writer.Int(element.Types.Count);
        foreach (var type in element.Types)
        {
            writer.Text(type.Code);
            writer.Texts(type.Profiles);
            writer.Texts(type.TargetProfiles);
        }

        WriteValue(element.Fixed);
        WriteValue(element.Pattern);
        WriteValue(element.MinValue);
        WriteValue(element.MaxValue);
        writer.OptionalInt(element.MaxLength);
        writer.OptionalInt(element.Binding is null ? null : (int)element.Binding.Strength);
        if (element.Binding is { } binding)
        {
            writer.Text(binding.ValueSet);
            writer.OptionalText(binding.MaxValueSet);
        }

        WriteSlicing(element.Slicing);
        writer.Int(element.Constraints.Count);
        foreach (var constraint in element.Constraints)
        {
            writer.Text(constraint.Key);
            writer.Int(constraint.IsError ? 1 : 0);
            writer.Text(constraint.Expression);
        }

        writer.OptionalText(element.ContentReference);
    }

    private void WriteValue(ProfileValue? value)
    {
        writer.OptionalText(value?.Type);
        if (value is not null)
        {
            writer.Text(value.Json);
        }
    }

    private void WriteSlicing(ProfileSlicing? slicing)
    {
        writer.OptionalText(slicing?.Rules);
        if (slicing is null)
        {
            return;
        }

        writer.Int(slicing.Ordered ? 1 : 0);
        writer.Int(slicing.Discriminators.Count);
        foreach (var discriminator in slicing.Discriminators)
        {
            writer.Text(discriminator.Kind);
            writer.Text(discriminator.Path);
        }
    }
}
