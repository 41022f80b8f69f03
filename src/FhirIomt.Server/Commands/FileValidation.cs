using FhirIomt.Core;
using FhirIomt.Validation;

namespace FhirIomt.Server.Commands;

/// <summary>Validates files one after another and reports each.</summary>
internal sealed class FileValidation(ResourceValidator validator, IReadOnlyList<string> profiles, ValidationReport report)
{
    private int _valid;
    private int _invalid;
    private int _unusable;

    /// <summary>0: all valid; 1: some not; 2: some file could not be read at all.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        foreach (var file in files)
        {
            try
            {
                await foreach (var (name, read) in ResourceLines.ReadAsync(file, cancellationToken).ConfigureAwait(false))
                {
                    await OneAsync(name, read).ConfigureAwait(false);
                }
            }
            catch (Exception exception) when (ResourceFile.IsFileProblem(exception))
            {
                _unusable++;
                await Console.Error.WriteLineAsync($"{file}: {exception.Message}").ConfigureAwait(false);
            }

            report.Progress(_valid + _invalid, files.Count);
        }

        await report.EndAsync(_valid, _invalid, _unusable).ConfigureAwait(false);
        return _unusable > 0 ? ResourceFile.Unusable : _invalid > 0 ? 1 : 0;
    }

    private async Task OneAsync(string name, ReadResource read)
    {
        IReadOnlyList<Issue> issues = read.Tree is { } tree ? [.. read.Issues, .. validator.Validate(tree, profiles)] : read.Issues;
        if (issues.Any(issue => issue.Refuses))
        {
            _invalid++;
        }
        else
        {
            _valid++;
        }

        await report.AddAsync(name, read.Text, issues).ConfigureAwait(false);
    }
}
