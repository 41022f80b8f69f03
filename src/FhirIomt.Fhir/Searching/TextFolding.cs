using System.Text;

namespace FhirIomt.Fhir.Searching;

/// <summary>
/// Text as string search compares it: case and accents do not count (R4 §3.1.1.4.8). Own tables for the Latin blocks, so that every machine and every engine
/// folds alike, whether or not it has ICU.
/// </summary>
public static class TextFolding
{
    // Base letters of U+00C0 to U+017F and of U+1E00 to U+1EFF, by Unicode's canonical decomposition; letters with a stroke by their look.
    private const string LatinLetters =
        "aaaaaaæceeeeiiiidnooooo×ouuuuyþßaaaaaaæceeeeiiiidnooooo÷ouuuuyþy" +
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiĳĳjjkkkllllllŀ" +
        "ŀllnnnnnnŉnnooooooœœrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    private const string LatinAdditionalLetters =
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm" +
        "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv" +
        "wwwwwwwwwwxxxxyyzzzzzzhtwyẚſẜẝßẟaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee" +
        "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyyỻỻỽỽỿỿ";

    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            switch (character)
            {
                case >= '\u0300' and <= '\u036F':
                    break;
                case 'ß' or 'ẞ':
                    folded.Append("ss");
                    break;
                case 'æ' or 'Æ':
                    folded.Append("ae");
                    break;
                case 'œ' or 'Œ':
                    folded.Append("oe");
                    break;
                case >= '\u00C0' and < '\u0180':
                    folded.Append(LatinLetters[character - '\u00C0']);
                    break;
                case >= '\u1E00' and < '\u1F00':
                    folded.Append(LatinAdditionalLetters[character - '\u1E00']);
                    break;
                default:
                    folded.Append(char.ToLowerInvariant(character));
                    break;
            }
        }

        return folded.ToString();
    }
}
