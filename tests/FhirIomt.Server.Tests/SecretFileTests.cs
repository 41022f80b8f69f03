using FhirIomt.Server.Demo;

namespace FhirIomt.Server.Tests;

public sealed class SecretFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-secret-").FullName;

    private string FilePath => Path.Combine(_folder, "demo.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Whoever_looks_while_it_is_written_sees_all_of_it()
    {
        var (one, other) = (new string('a', 200_000), new string('b', 200_000));
        await SecretFile.WriteAsync(FilePath, one, CancellationToken.None);
        using var written = new CancellationTokenSource();
        var looking = Task.Run(async () =>
        {
            var looks = 0;
            for (; !written.IsCancellationRequested || looks == 0; looks++)
            {
                var seen = await File.ReadAllTextAsync(FilePath);
                Assert.True(seen == one || seen == other, $"{seen.Length} characters");
            }
        });
        for (var round = 0; round < 200; round++)
        {
            await SecretFile.WriteAsync(FilePath, round % 2 == 0 ? other : one, CancellationToken.None);
        }

        await written.CancelAsync();
        await looking;
    }

    [Fact]
    public async Task What_a_killed_process_left_half_written_does_not_hinder()
    {
        await File.WriteAllTextAsync(FilePath + ".partial", new string('x', 100));

        await SecretFile.WriteAsync(FilePath, "whole", CancellationToken.None);

        Assert.Equal("whole", await File.ReadAllTextAsync(FilePath));
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Only_its_owner_reads_it()
    {
        await SecretFile.WriteAsync(FilePath, "secret", CancellationToken.None);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        }
    }
}
