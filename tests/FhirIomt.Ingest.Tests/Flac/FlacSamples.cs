namespace FhirIomt.Ingest.Tests.Flac;

/// <summary>Streams that the tool flac 1.4.2 made of samples of our own, which are computed here; the block that names the tool was taken out.</summary>
internal static class FlacSamples
{
    // flac -0 -b 64, one channel of 8 bits, 200 samples
    public static readonly byte[] Eight = Convert.FromBase64String("ZkxhQ4AAACIAQABAAAAQAAAhAD6AcAAAAMhmvOXn86AI7eeSpUnkJy28//hsAgA/AR8UIR0AMOuHXDgBcOuHXDABXDrh1wgAaB5l//hsAgE/AXQU8PIAIdcOuA64dcOsACHXDrh1ABh17l7/+GwCAj8ByRQHAwADrh0AOHXDrhwAFw64dcMACuHWWEf/+GwCAwcB8xQGCgA1wJk6");

    // flac -8 -b 64, two channels of 16 bits, 150 samples
    public static readonly byte[] Sixteen = Convert.FromBase64String("ZkxhQ4AAACIAQABAAABGAACqAD6C8AAAAJberGCO6Kw40geJD5RXQsDY//hsqAA/AXwUGl4VzQYot8GoT5B3bM7fKKFqot8BLDO0WigllFvgWoztFvgJYg6fCvu3RaLJlkiii1OqdnyRSap8Gm+2p2RZFMsnzB/b9vB58MsFhSKp325FnwmoWFPinRVDE4YnEDDw94CAAQcAHvAAISAgA8PeAgAEJAB7wACDgIAPD3gIABBwAe8AAhICAE/A//hsqAE/ARcS+ZEPom5ElpOFJfJJsFkHDIuSZwRglRaCioTVijWs9orpOpxvAlXScJSekvVA0h3JSgJgm4d5KzBhqH2X7xoOGCigVFfm4FBEvkeCcRV4u1Izwp5V6M0bKyTZGNbPKtk31N/8qAtulexV87PnZEDuACABicIm5Ak6AHCQAHvAAIOAgA8PeAgAEHAB7wACEgIAPD3gIABCQAe8AAg4CADwwC//+GyoAhUBhhT78vdPAgLVfKKZ0EsotFBLKLfDOhaqLfASxB747Yr98FUMThicBoECBAAAIcCBAgQIAABEgQIECBAgQF6i");

    // flac -8 -e -p -b 64, three channels of 24 bits, 60 samples
    public static readonly byte[] TwentyFour = Convert.FromBase64String("ZkxhQ4AAACIAQABAAAEsAAEsAD6FcAAAADwS/zQJB9lbpb8Ppy1SKGuD//hsLAA7AUEUIz9wHvnPQhAXSBdAUJSgPzAIUkPiSB9gfnAn8KY/QBogvaR+PI8Nwlbg9YE/TIFlQQ+ADWJBK02ETUCRAoNdAp2AlJGsslHXAzKBkYUvahALATgkBmR6/gRrCIsKceQImAA6reSWbJITwf2gxSFI1IGgwX8JWBkZ+4KdwQCCd0UG6oBKEg1yTlsE8ICyigZooARFz6EIC6QLoChKUB+YBCkh8SQPsD84E/hTH6ANEF7QA2NgR4bhK3B6wJ+mQLKgh8ST3JWmwiagSIFBroFOwEpI1lko64GZQMjCl7UIBQAOgDkgMyPX8CNYRFhTjyBE0ELySzZJCeD+0GKQpGpA0GC/hKwMjP3BTuCAQTuiAA7BVAJQkGuSctgnhAWUBAAADMpN");

    public static int OfEight(int at) => Triangle(at, 0);

    /// <summary>The one that is missing is sample 70 of both channels.</summary>
    public static int OfSixteen(int at, int channel) => at == 70 ? short.MinValue : (Triangle(at, channel) * 300) + (at * at * 31 % 97);

    /// <summary>All of the third channel are missing.</summary>
    public static int OfTwentyFour(int at, int channel) => channel == 2 ? -8_388_608 : (Triangle(at, channel) * 70_000) + (at * at * at * 31 % 997);

    private static int Triangle(int at, int channel)
    {
        at += channel * 7;
        return (Math.Abs((at % 40) - 20) * 3) - 30 + Math.Abs((at % 7) - 3);
    }
}
