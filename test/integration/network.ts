// Hosts on one machine: network namespaces with their own addresses, connected by a bridge on which
// this process has the first address. Needs Linux and root.

import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const ip = async (...args: string[]) => (await promisify(execFile)('ip', args)).stdout;

/** Why this machine cannot have such a network; null if it can. */
export function networkMissing(): string | null {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = namePrefix('probe');
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'ignore' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'ignore' });
    execFileSync('ip', ['link', 'add', probe, 'type', 'bridge'], { stdio: 'ignore' });
    execFileSync('ip', ['link', 'del', probe], { stdio: 'ignore' });
    return null;
  } catch (error) {
    return `network namespaces cannot be created here: ${(error as Error).message}`;
  }
}

/** Unique names; the kernel allows 15 characters for a link. */
const namePrefix = (name: string) => `an${process.pid.toString(36)}${name}`;

/** A namespace on the network. */
export interface Host {
  /** The namespace's name. */
  name: string;
  /** The bridge's end of its link. */
  link: string;
  /** Unplug or reconnect its cable. */
  setLink(state: 'up' | 'down'): Promise<void>;
  /** Ids of all processes in it. */
  pids(): Promise<number[]>;
}

export class Network {
  /** This machine's address on the bridge. */
  readonly address: string;
  readonly #bridge = namePrefix('br');
  readonly #subnet: string;
  readonly #hosts: Host[] = [];

  static async open(): Promise<Network> {
    const network = new Network();
    await ip('link', 'add', network.#bridge, 'type', 'bridge');
    await ip('addr', 'add', `${network.address}/24`, 'dev', network.#bridge);
    await ip('link', 'set', network.#bridge, 'up');
    return network;
  }

  private constructor() {
    // From the block reserved for tests between networks, RFC 2544.
    this.#subnet = `198.18.${process.pid % 256}`;
    this.address = `${this.#subnet}.1`;
  }

  async addHost(): Promise<Host> {
    const index = this.#hosts.length + 2;
    const name = namePrefix(`h${index}`);
    const [link, inside] = [`${name}o`, `${name}i`];
    await ip('netns', 'add', name);
    const host: Host = {
      name,
      link,
      setLink: async (state) => void (await ip('link', 'set', link, state)),
      pids: async () => (await ip('netns', 'pids', name)).split('\n').filter(Boolean).map(Number),
    };
    this.#hosts.push(host);
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
    await ip('link', 'set', link, 'master', this.#bridge);
    await ip('-n', name, 'addr', 'add', `${this.#subnet}.${index}/24`, 'dev', inside);
    for (const link of ['lo', inside]) await ip('-n', name, 'link', 'set', link, 'up');
    await host.setLink('up');
    return host;
  }

  /** Kill all processes on the hosts, and remove hosts and bridge. */
  async close(): Promise<void> {
    for (const host of this.#hosts) {
      for (let pids = await host.pids(); pids.length > 0; pids = await host.pids())
        for (const pid of pids) kill(pid);
      // The kernel keeps a namespace with open connections, and its link, for a while.
      await ip('link', 'del', host.link).catch(() => {});
      await ip('netns', 'del', host.name);
    }
    await ip('link', 'del', this.#bridge);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
