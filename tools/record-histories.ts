// Records the histories of a run and of its epochs, or of another workflow, from a live server, for
// the replay suite. Usage:
// node tools/record-histories.ts RUN [--address HOST:PORT] [--out FOLDER] [--name FILE]

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** Folder for the histories of this version. */
async function versionFolder(): Promise<string> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  return join('test', 'replay', 'histories', version);
}

/** The histories of a workflow's executions, oldest first. */
async function chainOf(client: Client, id: string, runId?: string): Promise<History[]> {
  const history = await client.workflow.getHandle(id, runId).fetchHistory();
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  const before = started?.continuedExecutionRunId;
  return [...(before ? await chainOf(client, id, before) : []), history];
}

/** The children that an execution started. */
function childrenOf(history: History): { id: string; runId: string }[] {
  return (history.events ?? []).flatMap((event) => {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    return child?.workflowId && child.runId ? [{ id: child.workflowId, runId: child.runId }] : [];
  });
}

/**
 * The history as JSON that can be replayed, without traces of the machine it was recorded on: the
 * identities of workers and clients, which name their hosts, and the stack traces of errors.
 */
function anonymous(history: History): string {
  const identities = new Set<string>();
  const replace = (key: string, value: unknown) => {
    if (key === 'identity') identities.add(String(value));
    return key === 'stackTrace' ? '' : value;
  };
  let text = JSON.stringify(JSON.parse(historyToJSON(history)), replace, 1);
  for (const identity of identities) text = text.replaceAll(identity, 'somebody');
  return `${text}\n`;
}

/** Write every history of the run; each execution's file is named `name` plus its number. */
async function record(
  client: Client,
  run: string,
  folder: string,
  prefix: string,
): Promise<string[]> {
  const executions = await chainOf(client, run);
  const epochs = executions.flatMap(childrenOf).map(async ({ id, runId }) => ({
    name: id.split('/').at(-1)!,
    history: await client.workflow.getHandle(id, runId).fetchHistory(),
  }));
  const all = [
    ...executions.map((history, index) => ({ name: `${prefix}-${index + 1}`, history })),
    ...(await Promise.all(epochs)),
  ];
  await mkdir(folder, { recursive: true });
  const paths = all.map(({ name }) => join(folder, `${name}.json`));
  await Promise.all(all.map(({ history }, i) => writeFile(paths[i]!, anonymous(history))));
  return paths;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: 'string', default: '127.0.0.1:7233' },
    out: { type: 'string' },
    name: { type: 'string', default: 'run' },
  },
});
const [run] = positionals;
if (run === undefined)
  throw new Error(
    'expected the id of a run: node tools/record-histories.ts RUN [--address …] [--out …]',
  );
const connection = await Connection.connect({ address: values.address });
const folder = values.out ?? (await versionFolder());
for (const path of await record(new Client({ connection }), run, folder, values.name))
  console.log(path);
await connection.close();
