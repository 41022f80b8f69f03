namespace FhirIomt.Ingest.HealthExport;

/// <summary>Passes over what stands outside of tags: texts, CDATA, comments, processing instructions and the DTD. Nothing of it is believed, and none of it needs to fit into memory.</summary>
internal sealed class XmlOutside(XmlWindow window)
{
    /// <summary>Goes to the next <c>&lt;</c>; false where the text ends before.</summary>
    /// <param name="isInside">In an element, where any text may stand; elsewhere only white space.</param>
    public bool SkipText(bool isInside)
    {
        while (true)
        {
            var text = window.Text;
            var next = text.IndexOf((byte)'<');
            var before = next < 0 ? text : text[..next];
            var kept = before.IndexOfAnyExcept(" \t\r\n"u8) is >= 0 and var word ? Check(before, word, isInside, isWhole: next >= 0) : 0;
            window.Advance(before.Length - kept);
            if (next >= 0)
            {
                return true;
            }

            if (!window.TryMore())
            {
                return window.Text.IsEmpty ? false : throw window.Fault("The text ends within an element.", window.Text.Length);
            }
        }
    }

    public void SkipComment()
    {
        window.Advance("<!--"u8.Length);
        SkipBehind("--"u8);
        if (window.Ahead(1) is not [(byte)'>', ..])
        {
            throw window.Fault("Two hyphens end a comment, with '>' behind them.", 0);
        }

        window.Advance(1);
    }

    public void SkipInstruction()
    {
        // Only the declaration has that name, and it stands at the beginning.
        if (window.Ahead(6) is [_, _, (byte)'x' or (byte)'X', (byte)'m' or (byte)'M', (byte)'l' or (byte)'L', (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)'?', ..])
        {
            throw window.Fault("The XML declaration stands at the very beginning.", 0);
        }

        window.Advance(2);
        RequireTarget();
        SkipBehind("?>"u8);
    }

    public void SkipCharacters()
    {
        window.Advance("<![CDATA["u8.Length);
        SkipBehind("]]>"u8);
    }

    /// <summary>What it declares, entities too, is never used: nothing can grow out of it.</summary>
    public void SkipDoctype()
    {
        window.Advance("<!DOCTYPE"u8.Length);
        var isInSubset = false;
        while (true)
        {
            SkipTo("\"'[]<>"u8);
            var head = window.Ahead(4);
            var mark = head[0];
            if (head.StartsWith("<!--"u8))
            {
                SkipComment();
                continue;
            }

            if (head.StartsWith("<?"u8))
            {
                SkipInstruction();
                continue;
            }

            window.Advance(1);
            switch (mark)
            {
                case (byte)'"' or (byte)'\'':
                    SkipBehind([mark]);
                    break;
                case (byte)'[':
                    isInSubset = true;
                    break;
                case (byte)']':
                    SkipEnd();
                    return;
                case (byte)'>' when !isInSubset:
                    return;
            }
        }
    }

    private void RequireTarget()
    {
        var name = new XmlTagReader(window.Text);
        var step = name.ReadName();
        while (step == XmlStep.Cut)
        {
            More();
            name = new XmlTagReader(window.Text);
            step = name.ReadName();
        }

        if (step == XmlStep.Bad || window.Text[name.Position] is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t' or (byte)'?'))
        {
            throw window.Fault("A processing instruction begins with a name.", name.Position);
        }
    }

    // Behind the internal subset only white space stands before the end.
    private void SkipEnd()
    {
        while (window.Ahead(1) is [(byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t', ..])
        {
            window.Advance(1);
        }

        if (window.Ahead(1) is not [(byte)'>', ..])
        {
            throw window.Fault("'>' is expected behind the internal subset of the DTD.", 0);
        }

        window.Advance(1);
    }

    // How much of a text's end must be looked at again, when more of it is there.
    private int Check(ReadOnlySpan<byte> text, int word, bool isInside, bool isWhole)
    {
        if (!isInside)
        {
            throw window.Fault("Text stands outside of the root element.", word);
        }

        var until = isWhole ? text.Length : Math.Max(0, text.Length - XmlText.LongestReference);
        if (XmlText.BadReference(text, until) is >= 0 and var reference)
        {
            throw window.Fault("The reference refers to nothing.", reference);
        }

        if (text.IndexOf("]]>"u8) is >= 0 and var end)
        {
            throw window.Fault("']]>' ends no CDATA section here.", end);
        }

        return text.Length - until;
    }

    private void SkipTo(ReadOnlySpan<byte> marks)
    {
        int at;
        while ((at = window.Text.IndexOfAny(marks)) < 0)
        {
            window.Advance(window.Text.Length);
            More();
        }

        window.Advance(at);
    }

    private void SkipBehind(ReadOnlySpan<byte> end)
    {
        int at;
        while ((at = window.Text.IndexOf(end)) < 0)
        {
            window.Advance(Math.Max(0, window.Text.Length - end.Length + 1));
            More();
        }

        window.Advance(at + end.Length);
    }

    private void More()
    {
        if (!window.TryMore())
        {
            throw window.Fault("The text ends within a comment, a section or the DTD.", window.Text.Length);
        }
    }
}
