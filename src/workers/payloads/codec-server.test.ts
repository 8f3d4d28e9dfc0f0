import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CodecServer, startCodecServer } from './codec-server.ts';
import { EncryptionCodec } from './encryption-codec.ts';

const codec = new EncryptionCodec(new Map([['a', randomBytes(32)]]));
const origin = 'http://localhost:8233';
const base64 = (text: string) => Buffer.from(text).toString('base64');
/** A payload in protobuf JSON. */
const plain = { metadata: { encoding: base64('json/plain') }, data: base64('"text"') };

let server: CodecServer;
beforeEach(async () => {
  server = await startCodecServer({ codec, port: 0, origins: [origin], token: 'secret' });
});
afterEach(() => server.close());

function post(method: string, body: unknown, headers: Record<string, string> = {}) {
  const all = { authorization: 'Bearer secret', 'content-type': 'application/json', ...headers };
  return fetch(`${server.url}/${method}`, {
    method: 'POST',
    headers: all,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

it('encodes and decodes payloads as Temporal writes them in JSON', async () => {
  const answer = await post('encode', { payloads: [plain, plain] });
  const encoded = (await answer.json()) as { payloads: (typeof plain)[] };
  expect(encoded.payloads[0]!.metadata.encoding).toBe(base64('binary/encrypted'));
  expect(encoded.payloads[0]!.data).not.toContain(plain.data);
  expect(await (await post('decode', encoded)).json()).toEqual({ payloads: [plain, plain] });
});

it('answers the Web UI, which adds a query string', async () => {
  const answer = await post('decode?preserveStorageRefs=true', { payloads: [plain] }, { origin });
  expect(await answer.json()).toEqual({ payloads: [plain] });
});

it('accepts pages of the given origins only', async () => {
  const preflight = (from: string) =>
    fetch(`${server.url}/decode`, { method: 'OPTIONS', headers: { origin: from } });
  const allowed = await preflight(origin);
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
  expect((await preflight('http://elsewhere')).status).toBe(403);
  expect((await post('decode', { payloads: [] }, { origin: 'http://elsewhere' })).status).toBe(403);
});

it('rejects a call without the token or with another', async () => {
  expect((await post('decode', { payloads: [] }, { authorization: '' })).status).toBe(401);
  expect((await post('decode', { payloads: [] }, { authorization: 'Bearer secreT' })).status).toBe(
    401,
  );
});

it('explains what is wrong with a request', async () => {
  expect((await post('encrypt', { payloads: [] })).status).toBe(404);
  expect((await post('decode', 'no JSON')).status).toBe(400);
  const other = new EncryptionCodec(new Map([['b', randomBytes(32)]]));
  const payloads = await other.encode([{ data: Buffer.from('text') }]);
  const body = payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata!).map(([name, bytes]) => [
        name,
        Buffer.from(bytes).toString('base64'),
      ]),
    ),
    data: Buffer.from(data!).toString('base64'),
  }));
  const answer = await post('decode', { payloads: body });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("the key 'b'");
});

it.each([
  ['evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['localhost.', 403],
  ['evil.example@127.0.0.1', 403],
  ['127.0.0.1@evil.example', 403],
  [' ', 403],
  ['127.0.0.1', 200],
  ['localhost', 200],
  ['LOCALHOST', 200],
  ['[::1]', 200],
])('without a token, answers a request to host "%s" with %i', async (name, expected) => {
  const open = await startCodecServer({ codec, port: 0, origins: [origin] });
  const { port } = new URL(open.url);
  const statusOf = (host: string) =>
    new Promise((resolve, reject) => {
      const options = { port, path: '/decode', method: 'POST', headers: { host } };
      const sent = request({ host: '127.0.0.1', ...options }, (answer) =>
        resolve(answer.resume().statusCode),
      );
      sent.on('error', reject).end(JSON.stringify({ payloads: [] }));
    });
  expect(await statusOf(name)).toBe(expected);
  expect(await statusOf(`${name}:${port}`)).toBe(expected);
  await open.close();
});

it('serves a public address only with a token', async () => {
  const open = startCodecServer({ codec, port: 0, host: '0.0.0.0' });
  await expect(open).rejects.toMatchObject({ kind: 'InvalidConfig' });
});
