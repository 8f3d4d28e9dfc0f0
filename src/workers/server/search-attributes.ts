// Registers Anneal's search attributes with a server, if the account may.

import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { AnnealError } from '../../errors.ts';
import { searchKeys } from '../../workflows/search-attributes.ts';
import type { Log } from './found-server.ts';

/** gRPC status codes of a call that the server refuses or does not offer. */
const refusals = { permissionDenied: 7, unimplemented: 12 };

/** Names of the types on the command line, and their values in Temporal's API. */
const types = {
  KEYWORD: { name: 'Keyword', code: 2 },
  INT: { name: 'Int', code: 3 },
  DOUBLE: { name: 'Double', code: 4 },
};

const searchAttributes = Object.values(searchKeys);

/** The search attributes as flags of `temporal server start-dev` and `search-attribute create`. */
export function searchAttributeFlags(): string[] {
  return searchAttributes.flatMap(({ name, type }) => [
    '--search-attribute',
    `${name}=${types[type].name}`,
  ]);
}

/**
 * Register the search attributes that `namespace` lacks. If the account may not list them, only
 * log how to create them: they may exist already.
 * @throws AnnealError NoServer if some are known to be missing and cannot be created
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
  log: Log,
): Promise<void> {
  const known = await unlessRefused(connection.operatorService.listSearchAttributes({ namespace }));
  if (!known) {
    log(
      `this account may not list search attributes. If a run fails because they are missing, have someone run ${howToCreate(namespace)}`,
    );
    return;
  }
  const missing = searchAttributes.filter(
    ({ name }) => known.customAttributes?.[name] === undefined,
  );
  if (missing.length === 0) return;
  const codes = missing.map(({ name, type }) => [name, types[type].code]);
  const request = { namespace, searchAttributes: Object.fromEntries(codes) };
  if (await unlessRefused(connection.operatorService.addSearchAttributes(request))) return;
  const names = missing.map(({ name }) => name).join(', ');
  throw new AnnealError(
    'NoServer',
    `namespace '${namespace}' lacks the search attributes ${names}, and this account may not create them. Ask someone who may to run ${howToCreate(namespace)}`,
  );
}

function howToCreate(namespace: string): string {
  const flags = searchAttributes.map(
    ({ name, type }) => `--name ${name} --type ${types[type].name}`,
  );
  return `\`temporal operator search-attribute create --namespace ${namespace} ${flags.join(' ')}\``;
}

/** The answer, or null if the server refuses the account or does not offer the call. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isGrpcServiceError(error) && Object.values(refusals).includes(error.code)) return null;
    throw error;
  }
}
