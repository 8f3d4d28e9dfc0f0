// TLS in front of a Temporal server, as in a cloud or behind a gateway: certificates made by
// openssl, and an HTTP/2 proxy that checks its callers' certificates and records their headers.

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificates {
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

/** The name in the server's certificate, which is in no DNS. */
export const serverName = 'temporal.anneal.test';

/** A certificate authority, with a certificate for a server and one for a client. */
export function makeCertificates(folder: string): Certificates {
  const path = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const request = (name: string, subject: string, ...rest: string[]) => {
    const files = ['-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)];
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', subject, ...files, ...rest);
    return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  const ca = request('ca', '/CN=Test authority');
  const signed = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=CA:FALSE'];
  const server = request(
    'server',
    '/CN=server',
    ...signed,
    '-addext',
    `subjectAltName=DNS:${serverName}`,
  );
  const client = request('client', '/CN=client', ...signed);
  return { ca: ca.cert, server, client };
}

/** Why no certificates can be made: an openssl before 3 cannot sign with another's key. */
export function opensslMissing(): string | null {
  const { stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return /^OpenSSL [3-9]/.test(stdout ?? '') ? null : 'there is no OpenSSL 3 on the PATH';
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

export interface TlsProxy {
  /** Host and port. */
  address: string;
  /** Every value of the authorization header, in order; undefined for a call without one. */
  authorizations: (string | undefined)[];
  close(): Promise<void>;
}

/**
 * Serve `target` over TLS.
 * @param clientCa if given, callers need a certificate from that authority
 */
export async function startTlsProxy(
  target: string,
  { cert, key }: { cert: string; key: string },
  clientCa?: string,
): Promise<TlsProxy> {
  const authorizations: (string | undefined)[] = [];
  const upstream = http2.connect(`http://${target}`);
  const proxy = http2.createSecureServer({
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(clientCa && { ca: readFileSync(clientCa), requestCert: true, rejectUnauthorized: true }),
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  proxy.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  proxy.on('stream', (stream, headers) => {
    authorizations.push(headers.authorization);
    forward(stream, headers, upstream);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const close = async () => {
    for (const session of sessions) session.destroy();
    upstream.destroy();
    proxy.close();
    await once(proxy, 'close');
  };
  return { address: `127.0.0.1:${port}`, authorizations, close };
}

/** Forward one gRPC call: headers, body, trailers and cancellation. */
function forward(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  upstream: http2.ClientHttp2Session,
): void {
  const call = upstream.request({ ...headers, ':scheme': 'http' });
  let trailers: http2.IncomingHttpHeaders = {};
  call.on('trailers', (sent) => {
    trailers = sent;
  });
  call.on('response', (response) => {
    if (stream.destroyed) return;
    stream.respond(response, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    call.pipe(stream);
  });
  for (const [one, other] of [
    [stream, call],
    [call, stream],
  ] as const) {
    one.on('error', () => other.close(http2.constants.NGHTTP2_CANCEL));
    one.on('aborted', () => other.close(http2.constants.NGHTTP2_CANCEL));
  }
  stream.pipe(call);
}
