namespace FhirIomt.Server.Devices.RabbitMq;

/// <summary>The parts of RabbitMQ; they stand on the intake of MQTT's.</summary>
internal static class RabbitMqServices
{
    public static void Add(IServiceCollection services, RabbitMqOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<BrokerNodes>();
        services.AddSingleton<BrokerMessages>();
        services.AddSingleton<RabbitMqSource>();
        services.AddHostedService(parts => parts.GetRequiredService<RabbitMqSource>());
    }
}
