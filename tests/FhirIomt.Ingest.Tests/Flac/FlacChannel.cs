using System.Numerics;

namespace FhirIomt.Ingest.Tests.Flac;

/// <summary>How a channel of a frame is written.</summary>
/// <param name="Wasted">Low bits that are zero in all samples, and left out.</param>
internal abstract record FlacChannel(int Wasted)
{
    public void Write(FlacBitWriter bits, long[] samples, int depth)
    {
        bits.Add(0, 1).Add(Kind, 6).Add(Wasted > 0 ? 1 : 0, 1);
        if (Wasted > 0)
        {
            bits.AddUnary(Wasted - 1);
        }

        WriteSamples(bits, [.. samples.Select(sample => sample >> Wasted)], depth - Wasted);
    }

    protected abstract int Kind { get; }

    protected abstract void WriteSamples(FlacBitWriter bits, long[] samples, int depth);

    internal sealed record Constant(int Wasted = 0) : FlacChannel(Wasted)
    {
        protected override int Kind => 0;

        protected override void WriteSamples(FlacBitWriter bits, long[] samples, int depth) => bits.Add(samples[0], depth);
    }

    internal sealed record Verbatim(int Wasted = 0) : FlacChannel(Wasted)
    {
        protected override int Kind => 1;

        protected override void WriteSamples(FlacBitWriter bits, long[] samples, int depth)
        {
            foreach (var sample in samples)
            {
                bits.Add(sample, depth);
            }
        }
    }

    internal sealed record Fixed(int Order, FlacRice Rice, int Wasted = 0) : FlacChannel(Wasted)
    {
        protected override int Kind => 8 + Order;

        protected override void WriteSamples(FlacBitWriter bits, long[] samples, int depth)
        {
            foreach (var sample in samples[..Order])
            {
                bits.Add(sample, depth);
            }

            var differences = samples;
            for (var round = 0; round < Order; round++)
            {
                differences = [.. differences.Skip(1).Zip(differences, (next, one) => next - one)];
            }

            Rice.Write(bits, differences, Order);
        }
    }

    /// <param name="Coefficients">That of the sample just before first.</param>
    internal sealed record Linear(long[] Coefficients, int Precision, int Shift, FlacRice Rice, int Wasted = 0) : FlacChannel(Wasted)
    {
        protected override int Kind => 31 + Coefficients.Length;

        protected override void WriteSamples(FlacBitWriter bits, long[] samples, int depth)
        {
            var order = Coefficients.Length;
            foreach (var sample in samples[..order])
            {
                bits.Add(sample, depth);
            }

            bits.Add(Precision - 1, 4).Add(Shift, 5);
            foreach (var coefficient in Coefficients)
            {
                bits.Add(coefficient, Precision);
            }

            Rice.Write(bits, [.. samples.Select((sample, at) => at < order ? 0 : sample - (long)(Coefficients.Select((one, back) => (BigInteger)one * samples[at - 1 - back]).Aggregate(BigInteger.Add) >> Shift)).Skip(order)], order);
        }
    }
}

/// <summary>How what a prediction leaves is written.</summary>
/// <param name="Method">0: parameters of four bits, 1: of five.</param>
/// <param name="PartitionOrder">The block is in 2 to the power of so many parts.</param>
/// <param name="Plain">Every second part stands as it is, in so many bits; null: none.</param>
internal sealed record FlacRice(int Method = 0, int PartitionOrder = 0, int? Plain = null)
{
    public void Write(FlacBitWriter bits, long[] residuals, int order)
    {
        bits.Add(Method, 2).Add(PartitionOrder, 4);
        var size = (residuals.Length + order) >> PartitionOrder;
        for (var part = 0; part < 1 << PartitionOrder; part++)
        {
            var partition = residuals[Math.Max(0, (part * size) - order)..(((part + 1) * size) - order)];
            if (Plain is { } width && part % 2 == 0)
            {
                bits.Add(Method == 0 ? 15 : 31, Method == 0 ? 4 : 5).Add(width, 5);
                Array.ForEach(partition, residual => bits.Add(residual, width));
                continue;
            }

            var folded = partition.Select(residual => residual >= 0 ? 2 * residual : (-2 * residual) - 1).ToArray();
            var parameter = Math.Min(Method == 0 ? 14 : 30, (int)Math.Log2(folded.DefaultIfEmpty().Average() + 1));
            bits.Add(parameter, Method == 0 ? 4 : 5);
            Array.ForEach(folded, residual => bits.AddUnary(residual >> parameter).Add(residual & ((1L << parameter) - 1), parameter));
        }
    }
}
