// Finds out why a configured server does not answer. gRPC clients hide the error of the handshake,
// so this makes a handshake itself and says which setting to change.

import net from 'node:net';
import tls from 'node:tls';
import type { NativeConnectionOptions } from '@temporalio/worker';

const timeoutMs = 3_000;
/** In TLS 1.3 a server refuses a client's certificate after the handshake. */
const afterHandshakeMs = 300;

/** What to do about an error of the handshake, by a pattern in its code or message. */
const advice: readonly [RegExp, string][] = [
  [
    /SELF_SIGNED|UNABLE_TO|ISSUER/,
    "set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of the server's authority",
  ],
  [/ALTNAME/, 'set TEMPORAL_TLS_SERVER_NAME to the name in its certificate'],
  [/WRONG_VERSION|PACKET_LENGTH|RECORD/, 'the port does not use TLS: set TEMPORAL_TLS=false'],
  [
    /ALERT|ECONNRESET/,
    'if it asks for a client certificate, set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to one that it accepts',
  ],
];

/** What is wrong with the connection, as the end of a sentence; null if nothing is. */
export async function connectionProblem(options: NativeConnectionOptions): Promise<string | null> {
  const { hostname, port } = new URL(`tcp://${options.address}`);
  const place = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233) };
  const unreachable = await failureOf(net.connect(place), 'connect');
  if (unreachable) return unreachable.message;
  if (!options.tls)
    return (await speaksTls(place)) ? 'the port uses TLS: set TEMPORAL_TLS=true' : null;
  const failure = await failureOf(
    tls.connect({ ...place, ...clientSide(options.tls, place.host) }),
  );
  if (!failure) return null;
  const { code = '', message } = failure as NodeJS.ErrnoException;
  const known = advice.find(([pattern]) => pattern.test(code) || pattern.test(message));
  return [`TLS: ${message}`, code && ` (${code})`, known && `; ${known[1]}`]
    .filter(Boolean)
    .join('');
}

/** The configuration in the form that node:tls takes. */
function clientSide(config: NativeConnectionOptions['tls'], host: string): tls.ConnectionOptions {
  const given = typeof config === 'object' && config ? config : {};
  const servername = given.serverNameOverride ?? (net.isIP(host) ? undefined : host);
  return {
    ALPNProtocols: ['h2'],
    ...(servername && { servername }),
    ...(given.serverRootCACertificate && { ca: Buffer.from(given.serverRootCACertificate) }),
    ...(given.clientCertPair && {
      cert: Buffer.from(given.clientCertPair.crt),
      key: Buffer.from(given.clientCertPair.key),
    }),
  };
}

async function speaksTls(place: { host: string; port: number }): Promise<boolean> {
  const anyone = { ...place, ALPNProtocols: ['h2'], rejectUnauthorized: false };
  const failure = await failureOf(tls.connect(anyone));
  // A server that refuses us for lack of a certificate uses TLS too.
  return failure === null || /ALERT/.test(failure.code ?? '');
}

/** The error of a socket that is connecting; null if it is still connected a moment later. */
function failureOf(
  socket: net.Socket,
  event: 'connect' | 'secureConnect' = 'secureConnect',
): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const settle = (failure: Error | null) => {
      resolve(failure);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => settle(new Error(`no answer within ${timeoutMs / 1000} s`)));
    socket.on('error', settle);
    socket.on('close', () => settle(new Error('it closed the connection')));
    const momentMs = event === 'connect' ? 0 : afterHandshakeMs;
    socket.once(event, () => setTimeout(settle, momentMs, null));
  });
}
