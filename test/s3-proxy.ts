// A proxy in front of the tests' S3 server. It can make objects and uploads look old, since S3 has
// no call that sets a time. It hides empty folders, which S3 does not have: SeaweedFS removes
// them only some time after their last object.

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';

export interface S3Proxy {
  port: number;
  /** Make what was stored so far under a prefix of `bucket/key` look `hours` old. */
  makeOld(prefix: string, hours: number): Promise<void>;
  close(): Promise<void>;
}

interface Age {
  prefix: string;
  /** Unix ms: changes up to then look as if made at `looksMs`. */
  untilMs: number;
  looksMs: number;
}

/** Forward requests to the S3 server that `client` uses, on a port of this machine. */
export async function startS3Proxy(target: number, client: S3Client): Promise<S3Proxy> {
  const ages: Age[] = [];
  const server = createServer((asked, answer) => {
    forward(asked, answer, target, (listing, path) =>
      withoutEmptyFolders(aged(listing, path, ages), path, client),
    ).catch((error) => answer.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async makeOld(prefix, hours) {
      const untilMs = Date.now();
      ages.push({ prefix, untilMs, looksMs: untilMs - hours * 3_600_000 });
      // Servers report whole seconds, so wait: later objects must not have the time of this second.
      // A timer may fire a millisecond early, and the time of a file may be some milliseconds old.
      await delay(1000 - (untilMs % 1000) + 50);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function forward(
  asked: IncomingMessage,
  answer: ServerResponse,
  port: number,
  change: (listing: string, path: string) => Promise<string>,
): Promise<void> {
  const { method, url, headers } = asked;
  const forwarded = request({ host: '127.0.0.1', port, method, path: url, headers });
  pipeline(asked, forwarded).catch(() => answer.destroy());
  const [answered] = (await once(forwarded, 'response')) as [IncomingMessage];
  const place = new URL(url!, 'http://s3');
  const lists = ['list-type', 'uploads', 'uploadId'].some((name) => place.searchParams.has(name));
  if (method !== 'GET' || !lists) {
    answer.writeHead(answered.statusCode!, answered.headers);
    return pipeline(answered, answer);
  }
  const pieces: Buffer[] = [];
  for await (const piece of answered) pieces.push(piece);
  const body = await change(Buffer.concat(pieces).toString(), decodeURIComponent(place.pathname));
  const { 'content-length': _, 'transfer-encoding': __, ...others } = answered.headers;
  answer.writeHead(answered.statusCode!, others).end(body);
}

/** A listing with the pretended times of its objects, uploads or parts. */
function aged(listing: string, path: string, ages: readonly Age[]): string {
  // A listing of parts names the object in its path only.
  if (!/<(Contents|Upload)>/.test(listing)) return agedTimes(listing, path.slice(1), ages);
  const bucket = path.split('/')[1];
  return listing.replace(/<(Contents|Upload)>.*?<\/\1>/gs, (block) =>
    agedTimes(block, `${bucket}/${/<Key>(.*?)<\/Key>/s.exec(block)?.[1]}`, ages),
  );
}

function agedTimes(xml: string, key: string, ages: readonly Age[]): string {
  return xml.replace(/(<(LastModified|Initiated)>)(.*?)</g, (_, start, __, time: string) => {
    const changed = Date.parse(time);
    const looks = ages
      .filter(({ prefix, untilMs }) => key.startsWith(prefix) && changed <= untilMs)
      .map(({ looksMs }) => looksMs);
    return `${start}${new Date(Math.min(changed, ...looks)).toISOString()}<`;
  });
}

async function withoutEmptyFolders(listing: string, path: string, client: S3Client) {
  const folders = listing.matchAll(/<CommonPrefixes><Prefix>(.*?)<\/Prefix><\/CommonPrefixes>/gs);
  let changed = listing;
  for (const [block, folder] of folders) {
    const query = { Bucket: path.split('/')[1], Prefix: folder, MaxKeys: 1 };
    const { Contents = [] } = await client.send(new ListObjectsV2Command(query));
    if (Contents.length === 0) changed = changed.replace(block, '');
  }
  return changed;
}
