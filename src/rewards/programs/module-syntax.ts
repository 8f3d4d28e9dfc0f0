// Reads ES modules as scripts: sandboxes run scripts, and models often write `export`.

import type {
  AnyNode,
  ExportSpecifier,
  Identifier,
  ImportDeclaration,
  Literal,
  ModuleDeclaration,
  Program,
} from 'acorn';
import { parseWithin } from './parse.ts';

/**
 * A program without module syntax: exports of its own names become definitions and CommonJS exports,
 * imports become calls of `require`. Any other program, also one that does not parse, stays as it is.
 */
export function asScript(source: string): string {
  const ast = moduleIn(source);
  let script = source;
  for (const statement of ast?.body.toReversed() ?? []) {
    const text = isModuleSyntax(statement) ? scriptOf(statement, source) : null;
    if (text !== null)
      script = script.slice(0, statement.start) + text + script.slice(statement.end);
  }
  return script;
}

function moduleIn(source: string): Program | null {
  if (!/\b(?:import|export)\b/.test(source)) return null;
  try {
    return parseWithin(source, { sourceType: 'module' });
  } catch {
    return null;
  }
}

function isModuleSyntax(node: AnyNode): node is ModuleDeclaration {
  return /^(?:Import|Export\w+)Declaration$/.test(node.type);
}

/** What takes a statement's place in a script. */
function scriptOf(statement: ModuleDeclaration, source: string): string {
  const textOf = ({ start, end }: AnyNode) => source.slice(start, end);
  switch (statement.type) {
    case 'ImportDeclaration':
      return importOf(statement);
    case 'ExportDefaultDeclaration': {
      const { declaration } = statement;
      const isNamed =
        declaration.type.endsWith('Declaration') && 'id' in declaration && declaration.id;
      return isNamed ? textOf(declaration) : `module.exports = ${textOf(declaration)};`;
    }
    case 'ExportNamedDeclaration':
      if (statement.declaration) return textOf(statement.declaration);
      if (statement.source) return `${requireOf(statement.source)};`;
      return statement.specifiers.map(exportOf).join(' ');
    case 'ExportAllDeclaration':
      return `${requireOf(statement.source)};`;
  }
}

function importOf({ specifiers, source }: ImportDeclaration): string {
  const named = specifiers.filter((it) => it.type === 'ImportSpecifier');
  const whole = specifiers.filter((it) => it.type !== 'ImportSpecifier');
  const names = [
    ...whole.map(({ local }) => local.name),
    ...(named.length > 0
      ? [`{ ${named.map((it) => `${nameOf(it.imported)}: ${it.local.name}`).join(', ')} }`]
      : []),
  ];
  if (names.length === 0) return `${requireOf(source)};`;
  return `const ${names.map((name) => `${name} = ${requireOf(source)}`).join(', ')};`;
}

/** A variable exported under its own name needs nothing more: the top level defines it. */
function exportOf({ exported, local }: ExportSpecifier): string {
  const [name, value] = [nameOf(exported), nameOf(local)];
  if (name === value) return '';
  return name === 'default' ? `module.exports = ${value};` : `exports.${name} = ${value};`;
}

const requireOf = ({ raw }: Literal) => `require(${raw})`;

function nameOf(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : JSON.stringify(node.value);
}
