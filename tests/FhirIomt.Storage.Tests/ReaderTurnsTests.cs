using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Tests;

public class ReaderTurnsTests
{
    [Fact]
    public async Task Who_gets_no_turn_goes_on_without_one_and_a_turn_given_back_is_the_next_ones()
    {
        using var turns = new ReaderTurns(2);
        Assert.True(await turns.TakeAsync(CancellationToken.None));
        Assert.True(await turns.TakeAsync(CancellationToken.None));
        Assert.False(await turns.TakeAsync(CancellationToken.None));

        turns.GiveBack();
        Assert.True(await turns.TakeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Whoever_stops_waiting_has_no_turn_to_give_back()
    {
        using var turns = new ReaderTurns(1);
        Assert.True(await turns.TakeAsync(CancellationToken.None));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turns.TakeAsync(new CancellationToken(canceled: true)));
        turns.GiveBack();
        Assert.True(await turns.TakeAsync(CancellationToken.None));
    }
}
