// The first promise, on real data: CGM readings go in as device messages and come out of FHIR search, all of them, once, unchanged; sent again they
// create nothing; and what was acknowledged survives kill -9.
//
//   node tools/try/cgm-round-trip.mjs FILE.csv…      columns id,time,gl (time without zone: UTC is declared by the mapping 'cgm-csv')
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, build, command, freePort, start } from './client.mjs';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node tools/try/cgm-round-trip.mjs FILE.csv…');
  process.exit(2);
}

const batchSize = 1000;
const parallel = 4;
const readings = files.flatMap(read);
const subjects = [...new Set(readings.map((reading) => reading.id))];
console.log(`${readings.length} readings of ${subjects.length} subjects from ${files.length} files`);

build();
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'fhiriomt-cgm-'));
const port = await freePort();
let server = await start(data, port);
const ehr = await new Client(data, 'ehr', 'system/Patient.crus system/Device.rs system/Observation.rs').authorize(server.base);
const vendor = command(data, 'vendor', 'add', 'cgm');
const owner = new Map();
for (const id of subjects) {
  const patient = await ehr.post('Patient', { resourceType: 'Patient', identifier: [{ system: 'urn:example:subject', value: id }] });
  command(data, 'device', 'add', '--identifier', `urn:example:cgm|${id}`, '--vendor', 'cgm', '--patient', `Patient/${patient.id}`);
  owner.set(`Patient/${patient.id}`, id);
}

await new Promise((resolve) => setTimeout(resolve, 1000));

const first = await push(readings);
report('first push', first);
expect(first.counts.stored === readings.length, 'every reading is stored');

const second = await push(readings);
report('second push', second);
expect(second.counts.duplicate === readings.length, 'a second push creates nothing');
await compare('after two pushes', readings);

// A third push, half of it new; killed in the middle. New readings: the same subjects, one second later.
const shifted = readings.filter((_, index) => index % 2 === 0).map((reading) => ({ ...reading, time: later(reading.time), added: true }));
const known = new Set(readings.map(key));
const fresh = shifted.filter((reading) => !known.has(key(reading)));
const mixed = shuffle([...fresh, ...readings.filter((_, index) => index % 2 === 1)]);
const acknowledged = [];
const killing = new Promise((resolve) => setTimeout(resolve, 700)).then(() => server.kill());
const third = await push(mixed, acknowledged);
await killing;
report('third push, killed', third);
server = await start(data, port);
await ehr.authorize(server.base);
const expected = [...readings, ...acknowledged.filter((reading) => reading.added)];
const stored = await pull();
const missing = expected.filter((reading) => !stored.has(line(reading)));
console.log(`after kill -9: ${acknowledged.length} acknowledged, ${stored.size} stored, ${missing.length} acknowledged readings missing`);
expect(missing.length === 0, 'no acknowledged reading is lost');
const again = await push(mixed);
report('third push, again', again);
await compare('after the repeated third push', [...readings, ...fresh]);
await server.stop();
fs.rmSync(data, { recursive: true });
console.log('all held');

async function push(all, acknowledgedReadings) {
  const batches = [];
  for (let start = 0; start < all.length; start += batchSize) batches.push(all.slice(start, start + batchSize));
  const counts = {};
  const begin = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < batches.length) {
      const batch = batches[next++];
      let answer;
      try {
        answer = await fetch(`${server.base}/devices/messages?mapping=cgm-csv`, {
          method: 'POST', body: csv(batch), headers: { Authorization: `Bearer ${vendor.credential}`, 'Content-Type': 'text/csv' },
        });
      } catch (error) {
        if (!acknowledgedReadings) throw error;
        return;
      }
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      let messages;
      try {
        ({ messages } = await answer.json());
      } catch (error) {
        if (!acknowledgedReadings) throw error;
        return;
      }
      for (const message of messages) {
        counts[message.status] = (counts[message.status] ?? 0) + 1;
        if (['stored', 'duplicate', 'updated'].includes(message.status)) acknowledgedReadings?.push(batch[message.index]);
        else if (!acknowledgedReadings) console.log(JSON.stringify(message));
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return { counts, seconds: (performance.now() - begin) / 1000 };
}

async function pull() {
  const found = new Map();
  for await (const page of ehr.pages('Observation?code=http://loinc.org|99504-3&_count=1000')) {
    for (const observation of page) {
      const text = `${owner.get(observation.subject.reference)} ${new Date(observation.effectiveDateTime).toISOString()} ${observation.valueQuantity.value}`;
      if (found.has(observation.id)) throw new Error(`page repeats Observation/${observation.id}`);
      found.set(observation.id, text);
    }
  }
  const lines = new Set(found.values());
  expect(lines.size === found.size, 'no reading comes twice');
  return lines;
}

async function compare(when, wanted) {
  const begin = performance.now();
  const stored = await pull();
  const seconds = (performance.now() - begin) / 1000;
  const lines = new Set(wanted.map(line));
  const same = lines.size === stored.size && [...lines].every((one) => stored.has(one));
  console.log(`${when}: pulled ${stored.size} in ${seconds.toFixed(1)} s, wanted ${lines.size}`);
  expect(same, 'the same count, times and values');
}

function read(file) {
  const [header, ...rows] = fs.readFileSync(file, 'utf8').trim().split('\n').map((row) => row.split(',').map((cell) => cell.trim().replace(/^"|"$/g, '')));
  const [id, time, gl] = ['id', 'time', 'gl'].map((name) => header.indexOf(name));
  return rows.map((row) => ({ id: row[id], time: row[time], gl: row[gl] }));
}

function csv(batch) {
  return `id,time,gl\n${batch.map((reading) => `${reading.id},${reading.time},${reading.gl}`).join('\n')}\n`;
}

function key(reading) {
  return `${reading.id} ${reading.time}`;
}

function line(reading) {
  return `${reading.id} ${new Date(`${reading.time.replace(' ', 'T')}Z`).toISOString()} ${Number(reading.gl)}`;
}

function later(time) {
  return new Date(Date.parse(`${time.replace(' ', 'T')}Z`) + 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function shuffle(list) {
  let seed = 42;
  for (let index = list.length - 1; index > 0; index--) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const other = seed % (index + 1);
    [list[index], list[other]] = [list[other], list[index]];
  }
  return list;
}

function report(what, { counts, seconds }) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.log(`${what}: ${JSON.stringify(counts)} in ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} messages/s`);
}

function expect(held, what) {
  if (!held) {
    console.error(`NOT HELD: ${what}`);
    process.exit(1);
  }
}
