using FhirIomt.Server.Devices.Streaming;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>The parts of MQTT. The intake comes first, so that it stops last: what connections still have in hand is brought to its end.</summary>
internal static class MqttServices
{
    public static void Add(IServiceCollection services, MqttOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<PayloadReader>();
        services.AddSingleton<MessageIntake>();
        services.AddHostedService(parts => parts.GetRequiredService<MessageIntake>());
        services.AddSingleton<MqttGate>();
        services.AddSingleton<MqttSessions>();
        services.AddHostedService(parts => parts.GetRequiredService<MqttSessions>());
        services.AddSingleton<MqttPublisher>();
        services.AddSingleton<MqttServer>();
        services.AddSingleton<MqttWebSocket>();
        services.AddSingleton<MqttListener>();
        services.AddHostedService(parts => parts.GetRequiredService<MqttListener>());
    }
}
