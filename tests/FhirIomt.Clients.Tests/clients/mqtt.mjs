// MQTT.js against the listener: both versions, every quality of service, TCP, WebSocket and TLS with a client certificate, resuming, refusals.
import mqtt from 'mqtt';
import { readFileSync } from 'node:fs';
import { check, end, world } from './checks.mjs';

const { tcp, web, tls, device, credential, certificate, key } = world;
let second = 0;
const reading = () => JSON.stringify({ deviceId: device, time: new Date(Date.UTC(2026, 0, 1, 0, 0, second++)).toISOString().replace('.000', ''), heartRate: 72 });
const options = (version, more = {}) => ({ protocolVersion: version, username: 'any', password: credential, clientId: `${device}-${version}`, reconnectPeriod: 0, ...more });
const refused = async (action) => { try { await action(); } catch (error) { return error; } throw new Error('it was not refused'); };

for (const version of [4, 5]) {
  for (const url of [tcp, web]) {
    await check(`version ${version} over ${url.split(':')[0]} publishes with QoS 0, 1 and 2`, async () => {
      const client = await mqtt.connectAsync(url, options(version));
      for (const qos of [0, 1, 2]) {
        await client.publishAsync(`iomt/v1/t/g/${device}/hr`, reading(), { qos });
      }
      await client.endAsync();
    });
  }

  await check(`version ${version} publishes a hundred at once`, async () => {
    const client = await mqtt.connectAsync(tcp, options(version));
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.publishAsync('t', reading(), { qos: 1 + (index % 2) })));
    await client.endAsync();
  });

  await check(`version ${version} is refused with a wrong password`, async () => {
    const error = await refused(() => mqtt.connectAsync(tcp, options(version, { password: 'wrong' })));
    if (error.code !== (version === 4 ? 4 : 0x86)) throw error;
  });

  await check(`version ${version} may not subscribe`, async () => {
    const client = await mqtt.connectAsync(tcp, options(version));
    const error = await refused(() => client.subscribeAsync('a/b'));
    await client.endAsync();
    if (!/ubscribe|authori|nspecified/.test(error.message)) throw error;
  });
}

await check('a session goes on after its connection broke', async () => {
  const more = { clean: false, properties: { sessionExpiryInterval: 60 }, clientId: `${device}-kept` };
  const first = await mqtt.connectAsync(tcp, options(5, more));
  await first.publishAsync('t', reading(), { qos: 2 });
  first.stream.destroy();
  const second = mqtt.connect(tcp, options(5, more));
  const present = await new Promise((resolve) => second.once('connect', (packet) => resolve(packet.sessionPresent)));
  await second.endAsync();
  if (!present) throw new Error('there was no session');
});

await check('a message that cannot be read is refused with its code', async () => {
  const client = await mqtt.connectAsync(tcp, options(5));
  const error = await refused(() => client.publishAsync('t', 'no json', { qos: 1 }));
  await client.endAsync();
  if (error.code !== 0x99) throw error;
});

await check('a user property names the mapping', async () => {
  const client = await mqtt.connectAsync(tcp, options(5));
  await client.publishAsync('t', reading(), { qos: 1, properties: { userProperties: { mapping: 'vitals' }, contentType: 'application/json' } });
  await client.endAsync();
});

await check('a client certificate is enough', async () => {
  const client = await mqtt.connectAsync(tls, { protocolVersion: 5, cert: readFileSync(certificate), key: readFileSync(key), rejectUnauthorized: false, reconnectPeriod: 0 });
  await client.publishAsync('t', reading(), { qos: 1 });
  await client.endAsync();
});

await check('without certificate and password nobody comes in by TLS', async () => {
  await refused(() => mqtt.connectAsync(tls, { protocolVersion: 5, rejectUnauthorized: false, reconnectPeriod: 0 }));
});
end();
