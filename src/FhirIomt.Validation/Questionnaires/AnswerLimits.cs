using System.Text.RegularExpressions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>The limits a question sets on its answers: maxLength and the extensions for length, pattern, range, digits, files, units and targets.</summary>
internal sealed class AnswerLimits(ValidationRun run, FormItem item, TimeSpan regexTimeout)
{
    private const int MaxPattern = 1000;

    public void Check(ResourceNode answer, ResourceNode value, string type)
    {
        switch (type)
        {
            case "String":
                Text(value);
                break;
            case "Decimal":
                Digits(value);
                Range(value);
                break;
            case "Integer" or "Date" or "DateTime" or "Time":
                Range(value);
                break;
            case "Quantity":
                Quantity(value);
                break;
            case "Attachment":
                File(answer, value);
                break;
            case "Reference":
                Target(value);
                break;
        }
    }

    private void Text(ResourceNode value)
    {
        var text = value.AsString() ?? "";
        if (ValueOrder.Number(item.Extension("http://hl7.org/fhir/StructureDefinition/minLength"u8)) is { } min && text.Length < min)
        {
            Out(value, $"The answer has fewer than {min} characters.");
        }

        if (ValueOrder.Number(item.Node["maxLength"u8]) is { } max && text.Length > max)
        {
            Out(value, $"The answer has more than {max} characters.");
        }

        if (item.Extension("http://hl7.org/fhir/StructureDefinition/regex"u8).AsString() is { } pattern && !Matches(text, pattern))
        {
            Out(value, $"The answer does not have the form {pattern}.");
        }
    }

    // A form may be sent with its answers, so its patterns run without backtracking, in time that grows with the text only. One that is wrong, too
    // long, or needs backtracking says nothing about the answer.
    private bool Matches(string text, string pattern)
    {
        if (pattern.Length > MaxPattern)
        {
            return true;
        }

        try
        {
            return Regex.IsMatch(text, $"^(?:{pattern})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, regexTimeout);
        }
        catch (Exception exception) when (exception is RegexMatchTimeoutException or ArgumentException or NotSupportedException)
        {
            return true;
        }
    }

    private void Digits(ResourceNode value)
    {
        if (ValueOrder.Number(item.Extension("http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces"u8)) is not { } limit)
        {
            return;
        }

        var text = value.AsText() ?? "";
        var point = text.IndexOf('.');
        if (point >= 0 && text.Length - point - 1 > limit)
        {
            Out(value, $"The answer has more than {limit} decimal places.");
        }
    }

    private void Range(ResourceNode value)
    {
        if (item.Extension("http://hl7.org/fhir/StructureDefinition/minValue"u8) is { Exists: true } min && ValueOrder.Compare(value, min) < 0)
        {
            Out(value, $"The answer is below {min.AsText()}.");
        }

        if (item.Extension("http://hl7.org/fhir/StructureDefinition/maxValue"u8) is { Exists: true } max && ValueOrder.Compare(value, max) > 0)
        {
            Out(value, $"The answer is above {max.AsText()}.");
        }
    }

    private void Quantity(ResourceNode value)
    {
        Bound(value, item.Extension("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity"u8), isMin: true);
        Bound(value, item.Extension("http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity"u8), isMin: false);
        var offered = 0;
        foreach (var extension in item.Node["extension"u8].Items)
        {
            if (extension["url"u8].TextEquals("http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption"u8))
            {
                offered++;
                var unit = extension["valueCoding"u8];
                if (unit["code"u8].AsString() == value["code"u8].AsString() && unit["system"u8].AsString() == value["system"u8].AsString())
                {
                    return;
                }
            }
        }

        if (offered > 0)
        {
            Out(value, "The unit is none of those that the questionnaire offers.");
        }
    }

    private void Bound(ResourceNode value, ResourceNode bound, bool isMin)
    {
        if (!bound.Exists)
        {
            return;
        }

        if (Quantities.Compare(value, bound) is not { } order)
        {
            Out(value, "The answer's unit cannot be compared with that of the limit.");
        }
        else if (isMin ? order < 0 : order > 0)
        {
            Out(value, $"The answer is {(isMin ? "below" : "above")} {bound["value"u8].AsText()} {bound["code"u8].AsString()}.");
        }
    }

    private void File(ResourceNode answer, ResourceNode value)
    {
        var types = new List<string>();
        foreach (var extension in item.Node["extension"u8].Items)
        {
            if (extension["url"u8].TextEquals("http://hl7.org/fhir/StructureDefinition/mimeType"u8))
            {
                types.Add(FormItem.Value(extension, "value"u8).AsString() ?? "");
            }
        }

        if (types.Count > 0 && value["contentType"u8].AsString() is { } type && !types.Contains(type, StringComparer.Ordinal))
        {
            Out(answer, $"A file of type {type} is no answer here: {string.Join(", ", types)}.");
        }

        var size = ValueOrder.Number(value["size"u8]);
        if (value["data"u8] is { IsString: true } data)
        {
            size = Attachments.SizeOf(data.ContentSpan) ?? size;
        }

        if (ValueOrder.Number(item.Extension("http://hl7.org/fhir/StructureDefinition/maxSize"u8)) is { } limit && size > limit)
        {
            Out(answer, $"The file has more than {limit} bytes.");
        }
    }

    private void Target(ResourceNode value)
    {
        var allowed = new List<string>();
        foreach (var extension in item.Node["extension"u8].Items)
        {
            if (extension["url"u8].TextEquals("http://hl7.org/fhir/StructureDefinition/questionnaire-referenceResource"u8))
            {
                allowed.Add(FormItem.Value(extension, "value"u8).AsString() ?? "");
            }
        }

        var type = System.Text.Encoding.UTF8.GetString(ReferenceText.Parse(value["reference"u8].ContentSpan).Type);
        if (allowed.Count > 0 && type.Length > 0 && !allowed.Contains(type, StringComparer.Ordinal))
        {
            Out(value, $"The answer refers to a {type}; {string.Join(", ", allowed)} is asked for.");
        }
    }

    private void Out(ResourceNode at, string message) => run.Add(QuestionnaireIssues.OutOfBounds, at, message);
}
