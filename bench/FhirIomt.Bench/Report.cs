using System.Globalization;
using System.Text.Json;

namespace FhirIomt.Bench;

/// <summary>One figure: the median of its runs, with the spread, what it is measured against, and the budget of the design.</summary>
internal sealed record Figure(string Name, string Unit, double Median, double Low, double High, string? Floor, double? FloorValue, string? Budget)
{
    public double? Ratio => FloorValue is { } floor and > 0 ? Median / floor : null;
}

internal sealed class Report
{
    private readonly List<Figure> _figures = [];

    public void Add(string name, string unit, IReadOnlyList<double> runs, string? floor = null, double? floorValue = null, string? budget = null)
    {
        var sorted = runs.Order().ToList();
        var figure = new Figure(name, unit, sorted[sorted.Count / 2], sorted[0], sorted[^1], floor, floorValue, budget);
        _figures.Add(figure);
        Console.WriteLine(Line(figure));
    }

    public double MedianOf(string name) => _figures.First(figure => figure.Name == name).Median;

    public void Print()
    {
        Console.WriteLine("| figure | median | spread | unit | floor in this run | ratio | budget |");
        Console.WriteLine("| --- | ---: | --- | --- | --- | ---: | --- |");
        foreach (var figure in _figures)
        {
            var floor = figure.Floor is null ? "" : $"{figure.Floor} {Number(figure.FloorValue!.Value)}";
            var ratio = figure.Ratio is { } value ? value.ToString("0.00", CultureInfo.InvariantCulture) : "";
            Console.WriteLine($"| {figure.Name} | {Number(figure.Median)} | {Number(figure.Low)}–{Number(figure.High)} | {figure.Unit} | {floor} | {ratio} | {figure.Budget} |");
        }
    }

    public void Save(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.WriteAllText(file, JsonSerializer.Serialize(_figures, new JsonSerializerOptions { WriteIndented = true }));
    }

    private static string Line(Figure figure) => $"  {figure.Name}: {Number(figure.Median)} {figure.Unit} ({Number(figure.Low)}–{Number(figure.High)})" + (figure.Ratio is { } ratio ? $", {ratio:0.00} of {figure.Floor}" : "");

    private static string Number(double value) => value >= 100 ? value.ToString("N0", CultureInfo.InvariantCulture) : value.ToString("0.##", CultureInfo.InvariantCulture);
}
