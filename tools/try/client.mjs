// What a backend-service client and a shell around the server need, in plain Node: keys, tokens, the command line, a server process.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.FHIRIOMT_BINARY ?? path.join(root, 'src/FhirIomt.Server/bin/Release/net10.0/fhiriomt.dll');

/** Runs a command of fhiriomt and answers the JSON of its last line. */
export function command(data, ...args) {
  const run = spawnSync('dotnet', [binary, ...args, '--data', data], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`fhiriomt ${args.join(' ')}: ${run.stderr || run.stdout}`);
  return JSON.parse(run.stdout.trim().split('\n').at(-1));
}

export function build() {
  if (process.env.FHIRIOMT_BINARY || fs.existsSync(binary)) return;
  const run = spawnSync('dotnet', ['build', '-c', 'Release', path.join(root, 'src/FhirIomt.Server')], { stdio: 'inherit' });
  if (run.status !== 0) process.exit(1);
}

export async function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server and waits until it answers; stop() ends it, kill() ends it as a power cut would. */
export async function start(data, port) {
  const base = `http://127.0.0.1:${port}`;
  const started = performance.now();
  const child = spawn('dotnet', [binary, 'serve', '--urls', base, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for (;;) {
    try {
      if ((await fetch(`${base}/fhir/metadata`)).ok) break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (child.exitCode !== null) throw new Error('the server did not start');
    if (performance.now() - started > 30_000) throw new Error('the server does not answer');
  }
  const end = (signal) => { child.kill(signal); return ended; };
  return { base, pid: child.pid, milliseconds: performance.now() - started, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/** A registered backend service: get(path), post(path, resource), and all pages of a search. */
export class Client {
  constructor(data, name, scopes) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const file = path.join(data, `${name}.jwks.json`);
    fs.mkdirSync(data, { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES384' }] }));
    this.key = privateKey;
    this.scopes = scopes;
    this.id = command(data, 'client', 'add', name, '--jwks', file, '--scopes', scopes).client_id;
  }

  async authorize(base) {
    this.base = base;
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: this.id, sub: this.id, aud: `${base}/auth/token`, exp: Math.floor(Date.now() / 1000) + 240, jti: randomUUID() };
    const signed = `${encode({ alg: 'ES384', typ: 'JWT', kid: 'k1' })}.${encode(claims)}`;
    const signature = sign('sha384', Buffer.from(signed), { key: this.key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    const answer = await fetch(`${base}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials', scope: this.scopes,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: `${signed}.${signature}`,
      }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`no token: ${JSON.stringify(body)}`);
    this.token = body.access_token;
    this.until = performance.now() + (body.expires_in - 30) * 1000;
    return this;
  }

  async fetch(url, options = {}) {
    if (performance.now() > this.until) await this.authorize(this.base);
    return fetch(url.startsWith('http') ? url : `${this.base}/fhir/${url}`, { ...options, headers: { Authorization: `Bearer ${this.token}`, ...options.headers } });
  }

  async get(url) {
    const answer = await this.fetch(url);
    if (!answer.ok) throw new Error(`GET ${url}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async post(type, resource, headers = {}) {
    const answer = await this.fetch(type, { method: 'POST', body: JSON.stringify(resource), headers: { 'Content-Type': 'application/fhir+json', ...headers } });
    if (!answer.ok) throw new Error(`POST ${type}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async *pages(url) {
    for (let next = url; next; ) {
      const bundle = await this.get(next);
      yield (bundle.entry ?? []).filter((entry) => entry.search.mode === 'match').map((entry) => entry.resource);
      next = bundle.link.find((link) => link.relation === 'next')?.url;
    }
  }
}
