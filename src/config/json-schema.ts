// The run file's JSON Schema, and questions about it: what stands at a path, what a value there
// may be, which keys exist. Editors, error messages and docs/configuration.md all read this one
// description, so that they cannot disagree. Validation itself is zod's (schema.ts).

import { z } from 'zod';
import { runSchema } from './schema.ts';

/** The part of JSON Schema (draft 2020-12) that the run file's schema uses. */
export interface SchemaNode {
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  description?: string;
  default?: unknown;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  items?: SchemaNode;
  prefixItems?: SchemaNode[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  enum?: string[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  pattern?: string;
}

/** A place in a run file: keys and list indices from the top. */
export type KeyPath = readonly PropertyKey[];

let cached: SchemaNode | undefined;

/** The schema of a run file as a person writes it: keys with a default may be left out. */
export function runJsonSchema(): SchemaNode {
  cached ??= z.toJSONSchema(runSchema, { io: 'input' }) as SchemaNode;
  return cached;
}

/** The schemas that may stand at `path`: several in a union, none where no such key exists. */
export function schemasAt(path: KeyPath): SchemaNode[] {
  return path.reduce<SchemaNode[]>(
    (nodes, key) => nodes.flatMap((node) => childrenAt(node, key)),
    alternatives(runJsonSchema()),
  );
}

/** The keys that a mapping at `path` may have. */
export function keysAt(path: KeyPath): string[] {
  const keys = schemasAt(path).flatMap((node) => Object.keys(node.properties ?? {}));
  return [...new Set(keys)];
}

/** A key of the run file, with `[]` in its path for each list: `rewards[].weight`. */
export interface KeyEntry {
  path: string;
  required: boolean;
  schema: SchemaNode;
}

/** Every key of the run file in the order of the schema; a mapping stands before its keys. */
export function allKeys(node: SchemaNode = runJsonSchema(), prefix = ''): KeyEntry[] {
  return alternatives(node).flatMap((variant) => {
    if (variant.items && !variant.prefixItems) return allKeys(variant.items, `${prefix}[]`);
    return Object.entries(variant.properties ?? {}).flatMap(([key, schema]) => {
      const path = prefix ? `${prefix}.${key}` : key;
      const required = variant.required?.includes(key) ?? false;
      return [{ path, required, schema }, ...allKeys(schema, path)];
    });
  });
}

/** What a value may be, in words: `a whole number, at least 0`; `one of cpu, webgpu, cuda`. */
export function describeValues(node: SchemaNode): string {
  const variants = node.anyOf ?? node.oneOf;
  if (variants) return variants.map(describeValues).join(' or ');
  if (node.const !== undefined) return String(node.const);
  if (node.enum) return `one of ${node.enum.join(', ')}`;
  if (node.prefixItems) return `a list of ${node.prefixItems.length}: each ${pairMember(node)}`;
  return simpleTypes[node.type ?? 'object'](node);
}

const simpleTypes: Record<NonNullable<SchemaNode['type']>, (node: SchemaNode) => string> = {
  object: (node) => `a mapping of ${Object.keys(node.properties ?? {}).join(', ')}`,
  array: () => 'a list with at least one entry',
  string: () => 'a text',
  number: (node) => `a number${describeRange(node)}`,
  integer: (node) => `a whole number${describeRange(node)}`,
  boolean: () => 'true or false',
  null: () => 'null',
};

function pairMember(node: SchemaNode): string {
  return node.prefixItems?.[0] ? describeValues(node.prefixItems[0]) : 'a value';
}

function describeRange({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  // zod bounds every integer by what a double holds exactly; nobody needs to be told.
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` over ${exclusiveMinimum}`;
  const bottom = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (bottom !== undefined && top !== undefined) return ` from ${bottom} to ${top}`;
  return bottom === undefined ? '' : `, at least ${bottom}`;
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return (node.anyOf ?? node.oneOf ?? [node]).flatMap((variant) =>
    variant === node ? [node] : alternatives(variant),
  );
}

function childrenAt(node: SchemaNode, key: PropertyKey): SchemaNode[] {
  if (typeof key !== 'number') {
    const child = Object.hasOwn(node.properties ?? {}, key)
      ? node.properties?.[String(key)]
      : undefined;
    return child ? alternatives(child) : [];
  }
  const child = node.prefixItems?.[key] ?? node.items;
  return child ? alternatives(child) : [];
}
