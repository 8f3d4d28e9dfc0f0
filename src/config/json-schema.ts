// The run file's JSON Schema, and questions about it: what stands at a path, what a value there
// may be, which keys exist. Editors, error messages and docs/configuration.md all read this one
// description, so that they cannot disagree. Validation itself is zod's (schema/run.ts).

import { z } from 'zod';
import { runSchema } from './schema/run.ts';

type SimpleType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

/** The part of JSON Schema (draft 2020-12) that the run file's schema uses. */
export interface SchemaNode {
  type?: SimpleType | SimpleType[];
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
  /** `#/$defs/` and the name of a schema that stands in several places. */
  $ref?: string;
  $defs?: Record<string, SchemaNode>;
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

/** What the value at `path` may be, in words. */
export function describeAt(path: KeyPath): string {
  const children = schemasAt(path.slice(0, -1)).flatMap(
    (node) => childAt(node, path.at(-1)!) ?? [],
  );
  return [...new Set(children.map(describeValues))].join(' or ');
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
  /** In a union, the kind of entry that has the key. */
  kind: string | undefined;
}

/**
 * Every key of the run file in the order of the schema; a mapping stands before its keys, and a
 * key of several kinds in a union stands once for each.
 */
export function allKeys(node: SchemaNode = runJsonSchema(), prefix = ''): KeyEntry[] {
  const variants = alternatives(node);
  return variants.flatMap((variant) => {
    if (variant.items && !variant.prefixItems) return allKeys(variant.items, `${prefix}[]`);
    const kind = variants.length > 1 ? kindOf(variant)?.name : undefined;
    return Object.entries(variant.properties ?? {}).flatMap(([key, own]) => {
      const path = prefix ? `${prefix}.${key}` : key;
      const schema = { ...own, ...defaultWithin(node, key) };
      const required = (variant.required?.includes(key) ?? false) && schema.default === undefined;
      return [{ path, required, schema, kind }, ...allKeys(own, path)];
    });
  });
}

/** What tells a mapping from the others of its union: a key, and the name that it has there. */
export function kindOf({ properties }: SchemaNode): { key: string; name: string } | undefined {
  const own = Object.entries(properties ?? {}).find(([, node]) => node.const !== undefined);
  return own && { key: own[0], name: String(own[1].const) };
}

/** What a mapping that may be left out gives one of its keys. */
function defaultWithin(node: SchemaNode, key: string): { default?: unknown } {
  const initial = node.default as Record<string, unknown> | undefined;
  return initial?.[key] === undefined ? {} : { default: initial[key] };
}

/** What a value may be, in words: `a whole number, at least 0`; `one of cpu, webgpu, cuda`. */
export function describeValues(node: SchemaNode): string {
  const name = definitionName(node);
  if (name) return `a ${name}`;
  const variants = node.anyOf ?? node.oneOf;
  if (variants) return variants.map(describeValues).join(' or ');
  if (node.const !== undefined) return String(node.const);
  if (node.enum) return `one of ${node.enum.join(', ')}`;
  if (node.prefixItems) return `a list of ${node.prefixItems.length}: each ${pairMember(node)}`;
  const types = [node.type ?? 'object'].flat();
  return types.map((type) => simpleTypes[type](node)).join(' or ');
}

const simpleTypes: Record<SimpleType, (node: SchemaNode) => string> = {
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

function definitionName({ $ref }: SchemaNode): string | undefined {
  return $ref?.slice('#/$defs/'.length);
}

function alternatives(node: SchemaNode): SchemaNode[] {
  const name = definitionName(node);
  if (name) return alternatives(runJsonSchema().$defs![name]!);
  return (node.anyOf ?? node.oneOf ?? [node]).flatMap((variant) =>
    variant === node ? [node] : alternatives(variant),
  );
}

function childrenAt(node: SchemaNode, key: PropertyKey): SchemaNode[] {
  const child = childAt(node, key);
  return child ? alternatives(child) : [];
}

function childAt(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === 'number') return node.prefixItems?.[key] ?? node.items;
  return Object.hasOwn(node.properties ?? {}, key) ? node.properties?.[String(key)] : undefined;
}
