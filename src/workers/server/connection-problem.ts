// Why a server that is configured does not answer: a handshake of our own says what gRPC's
// clients keep to themselves, and what to set.

import net from 'node:net';
import tls from 'node:tls';
import type { NativeConnectionOptions } from '@temporalio/worker';

const timeoutMs = 3_000;
/** TLS 1.3 tells a client that its certificate is refused after the handshake is over. */
const afterHandshakeMs = 300;

/** What an error of the handshake says, by its code or message, and what to do. */
const advice: readonly [RegExp, string][] = [
  [
    /SELF_SIGNED|UNABLE_TO|ISSUER/,
    "name the certificate of the server's authority by TEMPORAL_TLS_SERVER_CA_CERT_PATH",
  ],
  [/ALTNAME/, 'give the name that its certificate is for by TEMPORAL_TLS_SERVER_NAME'],
  [/WRONG_VERSION|PACKET_LENGTH|RECORD/, 'the port speaks no TLS: set TEMPORAL_TLS=false'],
  [
    /ALERT|ECONNRESET/,
    'where it asks for a client certificate, name one that it accepts by TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
  ],
];

/** What stands between here and the server, in words that end a sentence; null where nothing. */
export async function connectionProblem(options: NativeConnectionOptions): Promise<string | null> {
  const { hostname, port } = new URL(`tcp://${options.address}`);
  const place = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233) };
  const unreachable = await failureOf(net.connect(place), 'connect');
  if (unreachable) return unreachable.message;
  if (!options.tls)
    return (await speaksTls(place)) ? 'the port speaks TLS: set TEMPORAL_TLS=true' : null;
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

/** The configuration as Node's TLS takes it. */
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
  // One that turns us away for lack of a certificate speaks it too.
  return failure === null || /ALERT/.test(failure.code ?? '');
}

/** The error of a socket that is being connected, or null where it stands a moment later. */
function failureOf(
  socket: net.Socket,
  event: 'connect' | 'secureConnect' = 'secureConnect',
): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const settle = (failure: Error | null) => {
      resolve(failure);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => settle(new Error(`silent for ${timeoutMs / 1000} s`)));
    socket.on('error', settle);
    socket.on('close', () => settle(new Error('it hangs up')));
    const momentMs = event === 'connect' ? 0 : afterHandshakeMs;
    socket.once(event, () => setTimeout(settle, momentMs, null));
  });
}
