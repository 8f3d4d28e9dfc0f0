// Temporal's remote codec protocol over HTTP: POST /decode and /encode with payloads as protobuf
// JSON, for the `temporal` command line and the Web UI, which have no keys themselves.

import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { AnnealError } from '../../errors.ts';

const PayloadsMessage = proto.temporal.api.common.v1.Payloads;

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** 127.0.0.1 by default; an address other than loopback needs a token. */
  host?: string;
  /** 0 for any free port. */
  port: number;
  /** Origins of web pages that may read the answers, such as `http://localhost:8233`. */
  origins?: readonly string[];
  /** Token that callers must send as `Authorization: Bearer TOKEN`. */
  token?: string | undefined;
}

export interface CodecServer {
  url: string;
  close(): Promise<void>;
}

const loopback = ['127.0.0.1', '::1', 'localhost'];
const loopbackHost = /^(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?$/i;

/**
 * Serve until closed.
 * @throws AnnealError InvalidConfig for a public address without a token; the system's error if the
 * port is not available
 */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { host = '127.0.0.1', port, token } = options;
  if (!token && !loopback.includes(host))
    throw new AnnealError(
      'InvalidConfig',
      `a codec server on ${host} decrypts for everyone who can reach it: set ANNEAL_CODEC_TOKEN, which callers must then send, or serve on 127.0.0.1`,
    );
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: Error) =>
      response.writeHead(400).end(error.message),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${taken}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, origins = [], token }: CodecServerOptions,
): Promise<unknown> {
  const { origin, authorization, host } = request.headers;
  // A page whose own name leads to this address by now (DNS rebinding) sends that name. A server with
  // a token may have any name; no page knows the token.
  if (!token && !loopbackHost.test(host ?? ''))
    return response.writeHead(403).end('expected a Host of 127.0.0.1, [::1] or localhost');
  // A page of another origin is rejected outright, not only kept from reading the answer.
  if (origin !== undefined) {
    if (!origins.includes(origin)) return response.writeHead(403).end('this origin is not allowed');
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Allow-Headers', 'content-type, authorization, x-namespace');
    response.setHeader('Access-Control-Allow-Methods', 'POST');
  }
  if (request.method === 'OPTIONS') return response.writeHead(204).end();
  if (token && !isSame(authorization ?? '', `Bearer ${token}`))
    return response.writeHead(401).end('expected the header Authorization: Bearer TOKEN');
  // The Web UI adds a query string.
  const [path] = (request.url ?? '').split('?');
  const [method] = /(?<=\/)(encode|decode)$/.exec(path!) ?? [];
  if (request.method !== 'POST' || !method)
    return response.writeHead(404).end('expected POST to /encode or /decode');
  const { payloads } = PayloadsMessage.fromObject((await json(request)) as object);
  const converted = await codec[method as 'encode' | 'decode'](payloads as Payload[]);
  const body = JSON.stringify(PayloadsMessage.create({ payloads: converted }));
  return response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
