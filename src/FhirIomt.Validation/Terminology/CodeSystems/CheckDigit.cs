namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>The check digits of LOINC and SNOMED CT, over ASCII digits.</summary>
internal static class CheckDigit
{
    // Dihedral group D5 (J. Verhoeff, 1969): the product table, and the permutation applied once more for each place.
    private static readonly byte[] Product =
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
        1, 2, 3, 4, 0, 6, 7, 8, 9, 5,
        2, 3, 4, 0, 1, 7, 8, 9, 5, 6,
        3, 4, 0, 1, 2, 8, 9, 5, 6, 7,
        4, 0, 1, 2, 3, 9, 5, 6, 7, 8,
        5, 9, 8, 7, 6, 0, 4, 3, 2, 1,
        6, 5, 9, 8, 7, 1, 0, 4, 3, 2,
        7, 6, 5, 9, 8, 2, 1, 0, 4, 3,
        8, 7, 6, 5, 9, 3, 2, 1, 0, 4,
        9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    ];

    private static readonly byte[] Permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

    /// <summary>Modulus 10 with doubling from the right, as LOINC's users' guide describes it.</summary>
    public static int Mod10(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var place = 0; place < digits.Length; place++)
        {
            var digit = digits[digits.Length - 1 - place] - '0';
            var weighted = place % 2 == 0 ? digit * 2 : digit;
            sum += weighted > 9 ? weighted - 9 : weighted;
        }

        return (10 - (sum % 10)) % 10;
    }

    /// <summary>Whether the last digit is the Verhoeff check digit of those before it.</summary>
    public static bool IsVerhoeff(ReadOnlySpan<char> digits)
    {
        var check = 0;
        for (var place = 0; place < digits.Length; place++)
        {
            var digit = digits[digits.Length - 1 - place] - '0';
            for (var times = place % 8; times > 0; times--)
            {
                digit = Permutation[digit];
            }

            check = Product[(check * 10) + digit];
        }

        return check == 0;
    }
}
