using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace FhirIomt.Server.Tests;

public sealed class RequestGuardTests
{
    [Theory]
    [InlineData(true, 200)]
    [InlineData(false, 499)]
    public async Task Who_goes_away_before_the_answer_has_begun_or_in_its_middle_is_no_failure(bool hasStarted, int status)
    {
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        context.Features.Set<IHttpResponseFeature>(new Response(hasStarted));
        var guard = new RequestGuard(_ => throw new OperationCanceledException(), new ServerAddress("https://fhir.example"), audit: null!, NullLogger<RequestGuard>.Instance, TimeProvider.System);

        await guard.InvokeAsync(context);

        Assert.Equal(status, context.Response.StatusCode);
    }

    private sealed class Response(bool hasStarted) : HttpResponseFeature
    {
        public override bool HasStarted => hasStarted;
    }
}
