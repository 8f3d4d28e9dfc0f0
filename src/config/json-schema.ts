// The run file's JSON Schema, and lookups in it: the schema at a path, the values it allows, the keys
// that exist. Editors, error messages and docs/configuration.md all use this schema, so they cannot
// disagree. zod does the validation (schema/run.ts).

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
  minItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  pattern?: string;
  /** `#/$defs/` and the name of a schema that is used in several places. */
  $ref?: string;
  $defs?: Record<string, SchemaNode>;
}

/** A path in a run file: keys and list indices from the top. */
export type KeyPath = readonly PropertyKey[];

let cached: SchemaNode | undefined;

/** The schema of a run file as a person writes it: keys with a default are optional. */
export function runJsonSchema(): SchemaNode {
  cached ??= z.toJSONSchema(runSchema, { io: 'input' }) as SchemaNode;
  return cached;
}

/** The schemas at `path`: several in a union, none if there is no such key. */
export function schemasAt(path: KeyPath): SchemaNode[] {
  return path.reduce<SchemaNode[]>(
    (nodes, key) => nodes.flatMap((node) => childrenAt(node, key)),
    alternatives(runJsonSchema()),
  );
}

/** The values allowed at `path`, in words. */
export function describeAt(path: KeyPath): string {
  const children = schemasAt(path.slice(0, -1)).flatMap(
    (node) => childAt(node, path.at(-1)!) ?? [],
  );
  return [...new Set(children.map(describeValues))].join(' or ');
}

/** The keys allowed in a mapping at `path`. */
export function keysAt(path: KeyPath): string[] {
  const keys = schemasAt(path).flatMap((node) => Object.keys(node.properties ?? {}));
  return [...new Set(keys)];
}

/** A key of the run file, with `[]` in its path for each list: `rewards[].weight`. */
export interface KeyEntry {
  path: string;
  required: boolean;
  schema: SchemaNode;
  /** In a union, the kind of the mapping that has the key. */
  kind: string | undefined;
}

/**
 * Every key of the run file in the order of the schema. A mapping comes before its keys, and a key
 * of several kinds in a union comes once for each.
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

/** The key that discriminates a mapping in its union, and its value there. */
export function kindOf({ properties }: SchemaNode): { key: string; name: string } | undefined {
  const own = Object.entries(properties ?? {}).find(([, node]) => node.const !== undefined);
  return own && { key: own[0], name: String(own[1].const) };
}

/** The default of a key in an optional mapping. */
function defaultWithin(node: SchemaNode, key: string): { default?: unknown } {
  const initial = node.default as Record<string, unknown> | undefined;
  return initial?.[key] === undefined ? {} : { default: initial[key] };
}

/** The allowed values in words: `a whole number of at least 0`; `one of cpu, webgpu, cuda`. */
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
  object: ({ properties }) =>
    properties ? `a mapping of ${Object.keys(properties).join(', ')}` : 'a mapping',
  array: ({ minItems }) => (minItems ? 'a list with at least one entry' : 'a list'),
  string: () => 'a string',
  number: (node) => `a number${describeRange(node)}`,
  integer: (node) => `a whole number${describeRange(node)}`,
  boolean: () => 'true or false',
  null: () => 'null',
};

function pairMember(node: SchemaNode): string {
  return node.prefixItems?.[0] ? describeValues(node.prefixItems[0]) : 'a value';
}

function describeRange(node: SchemaNode): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = node;
  // zod bounds every integer by the safe integers, which nobody needs to read.
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const bottom = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (bottom !== undefined && top !== undefined) return ` from ${bottom} to ${top}`;
  const bounds = [
    exclusiveMinimum === undefined ? [] : ` above ${exclusiveMinimum}`,
    bottom === undefined ? [] : ` of at least ${bottom}`,
    exclusiveMaximum === undefined ? [] : ` and below ${exclusiveMaximum}`,
    top === undefined ? [] : ` and at most ${top}`,
  ];
  return bounds.flat().join('');
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
