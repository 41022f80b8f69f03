namespace FhirIomt.Mapping.Linting;

/// <summary>What a linter needs to know of a LOINC code that devices use.</summary>
/// <param name="Name">For people.</param>
/// <param name="Unit">A UCUM unit of its dimension; null for panels, which have no value of their own.</param>
/// <param name="Terms">Lower-case words by which texts name the thing; none of them names another one of the list.</param>
internal sealed record KnownCode(string Code, string Name, string? Unit, bool IsVitalSign, params string[] Terms)
{
    public static IReadOnlyList<KnownCode> All { get; } =
    [
        new("8867-4", "Heart rate", "/min", true, "heart rate", "heartrate", "pulse rate"),
        new("8480-6", "Systolic blood pressure", "mm[Hg]", true, "systolic"),
        new("8462-4", "Diastolic blood pressure", "mm[Hg]", true, "diastolic"),
        new("8478-0", "Mean blood pressure", "mm[Hg]", true, "mean blood pressure", "mean arterial"),
        new("85354-9", "Blood pressure panel", null, true, "blood pressure panel"),
        new("9279-1", "Respiratory rate", "/min", true, "respiratory rate", "respiration rate", "breathing rate"),
        new("2708-6", "Oxygen saturation", "%", true, "oxygen saturation", "spo2"),
        new("59408-5", "Oxygen saturation by pulse oximetry", "%", true, "pulse oximetry", "oxygen saturation", "spo2"),
        new("8310-5", "Body temperature", "Cel", true, "temperature"),
        new("8302-2", "Body height", "cm", true, "body height", "height"),
        new("29463-7", "Body weight", "kg", true, "body weight", "weight"),
        new("39156-5", "Body mass index", "kg/m2", true, "body mass index", "bmi"),
        new("9843-4", "Head circumference", "cm", true, "head circumference"),
        new("80404-7", "R-R interval standard deviation", "ms", false, "heart rate variability", "r-r interval"),
        new("55423-8", "Number of steps", "1", false, "steps"),
        new("41950-7", "Number of steps in 24 hours", "1", false, "steps"),
        new("2339-0", "Glucose, mass concentration", "mg/dL", false, "glucose"),
        new("2345-7", "Glucose in serum or plasma, mass concentration", "mg/dL", false, "glucose"),
        new("99504-3", "Glucose in interstitial fluid, mass concentration", "mg/dL", false, "glucose"),
        new("15074-8", "Glucose in blood, moles concentration", "mmol/L", false, "glucose"),
        new("14745-4", "Glucose in body fluid, moles concentration", "mmol/L", false, "glucose"),
        new("41981-2", "Calories burned", "kcal", false, "calories"),
        new("41982-0", "Body fat percentage", "%", false, "body fat"),
        new("8889-8", "Heart rate by pulse oximetry", "/min", false, "heart rate", "pulse rate"),
    ];

    public static KnownCode? Find(string? code) => All.FirstOrDefault(known => known.Code == code);

    /// <summary>The codes that a text names by its longest term: "heart rate variability" is not heart rate.</summary>
    public static IReadOnlyList<KnownCode> NamedBy(string text)
    {
        var lower = text.ToLowerInvariant();
        var longest = All.SelectMany(known => known.Terms).Where(term => lower.Contains(term, StringComparison.Ordinal)).MaxBy(term => term.Length);
        return longest is null ? [] : [.. All.Where(known => known.Terms.Contains(longest, StringComparer.Ordinal))];
    }
}

/// <summary>Units as people write them → UCUM.</summary>
internal static class UnitSpellings
{
    public static string? Suggestion(string unit) => unit.Trim().ToLowerInvariant() switch
    {
        "count/min" or "bpm" or "beats/min" or "beats/minute" or "1/min" or "breaths/min" or "per minute" => "/min",
        "mmhg" or "mm hg" => "mm[Hg]",
        "c" or "°c" or "degc" or "celsius" => "Cel",
        "f" or "°f" or "degf" or "fahrenheit" => "[degF]",
        "lb" or "lbs" or "pound" or "pounds" => "[lb_av]",
        "in" or "inch" or "inches" => "[in_i]",
        "ft" or "feet" => "[ft_i]",
        "percent" or "pct" => "%",
        "count" or "steps" or "counts" => "1",
        "hours" or "hour" or "hr" or "hrs" => "h",
        "minutes" or "minute" or "mins" => "min",
        "seconds" or "second" or "sec" => "s",
        "kgs" or "kilogram" or "kilograms" => "kg",
        "meters" or "meter" => "m",
        "cal" or "calories" => "kcal",
        _ => null,
    };
}
