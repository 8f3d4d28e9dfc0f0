// Renders the tables of docs/configuration.md from the run file's schema, so that the page always
// matches what the program checks.

import { allKeys, describeValues, type KeyEntry, runJsonSchema } from './json-schema.ts';

/** A Markdown table for each section: key, values, default, meaning. */
export function renderKeyTables(): string {
  const sections = Object.entries(runJsonSchema().properties ?? {});
  const keys = allKeys();
  const plain = sections.filter(([, schema]) => !hasKeys(schema)).map(([key]) => key);
  const nested = sections.filter(([, schema]) => hasKeys(schema));
  return [
    table(
      'The run',
      keys.filter(({ path }) => plain.includes(path)),
    ),
    ...nested.map(([section, schema]) =>
      table(
        `\`${section}\``,
        keys.filter(({ path }) => path.startsWith(section) && path !== section),
        schema.description,
      ),
    ),
  ].join('\n\n');
}

function hasKeys(schema: KeyEntry['schema']): boolean {
  return allKeys(schema).length > 0;
}

function table(title: string, keys: KeyEntry[], description?: string): string {
  const rows = [...Map.groupBy(keys.filter(isValue), ({ path }) => path).values()].map(row);
  return [
    `## ${title}`,
    ...(description ? ['', description] : []),
    '',
    '| Key | Values | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Mappings are shown by their keys, except a phase's overrides, which repeat rlaif and training. */
function isValue({ path, schema }: KeyEntry): boolean {
  const overrides = /^phases\[\]\.(rlaif|training)/.exec(path);
  return overrides ? path === overrides[0] : !hasKeys(schema);
}

/** A key, for all kinds of a union that have it. */
function row(variants: KeyEntry[]): string {
  const [{ path }] = variants as [KeyEntry];
  const cells = [`\`${path}\``];
  for (const part of [values, initial]) cells.push(distinct(variants.map(part)).join(' or '));
  cells.push(meanings(variants));
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function values({ schema }: KeyEntry): string {
  if (!hasKeys(schema)) return describeValues(schema);
  return `any keys of that section${takesRamps(schema) ? '; each number can be a ramp' : ''}`;
}

function takesRamps({ properties }: KeyEntry['schema']): boolean {
  return Object.values(properties ?? {}).some(({ anyOf }) => anyOf?.some(({ $ref }) => $ref));
}

function initial({ required, schema }: KeyEntry): string {
  return required ? 'required' : showDefault(schema.default);
}

/** The meaning of the key in each kind, or once if all kinds agree. */
function meanings(variants: KeyEntry[]): string {
  const texts = variants.map(({ schema }) => schema.description ?? '');
  if (texts.length > 1 && distinct(texts).length === 1) return texts[0]!;
  return variants
    .map(({ kind }, i) => (kind === undefined ? texts[i]! : `\`${kind}\`: ${texts[i]}`))
    .join(' ');
}

const distinct = (texts: string[]) => [...new Set(texts)];

function showDefault(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}
