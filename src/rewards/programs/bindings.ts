// Whether the text of a program tells what the names are bound to that lead to its entry. A program
// that binds them other than by plain statements at its top level, or reaches the global object or
// evaluates text, may run something else than what a review reads.

import type { AnyNode, Program } from 'acorn';
import type { ScopeManager } from 'eslint-scope';
import { exportedBy, type Led } from './entry.ts';
import { isFunction } from './functions.ts';

/** What reads text as code, and the global object. */
const dynamic = new Set(['eval', 'Function', 'globalThis']);

interface Tree {
  ast: Program;
  nodes: readonly AnyNode[];
  parents: ReadonlyMap<AnyNode, AnyNode>;
  scopes: ScopeManager;
}

/** Why the text does not tell what runs; null if it does. */
export function hiddenBinding(
  tree: Tree,
  { names: [entry, ...others], isExported }: Led,
): string | null {
  const plain = plainBindings(tree.ast);
  const written = [entry!, ...others].flatMap((name) => {
    const all = bindingsOf(tree, name);
    const isPlain = all.every((node) => plain.has(node)) && (name === entry || all.length < 2);
    return isPlain ? [] : [`'${name}' is bound more than once, or in a block or function`];
  });
  if (written.length > 0) return written[0]!;
  if (isExported && hasOtherExports(tree)) return 'its exports change in a block or function';
  for (const node of tree.nodes) {
    const reach = reachOf(tree, node, entry!);
    if (reach) return `'${reach}' on line ${node.loc?.start.line} may bind any name`;
  }
  return null;
}

/** The identifiers that statements of the top level bind by themselves. */
function plainBindings({ body }: Program): Set<unknown> {
  return new Set(
    body.flatMap((statement): AnyNode[] => {
      if (statement.type === 'VariableDeclaration')
        return statement.declarations.map(({ id }) => id);
      if (statement.type === 'FunctionDeclaration') return [statement.id];
      if (statement.type !== 'ExpressionStatement') return [];
      const { expression } = statement;
      const isAssigned = expression.type === 'AssignmentExpression' && expression.operator === '=';
      return isAssigned ? [expression.left] : [];
    }),
  );
}

/** The identifiers that bind a name of the top level or of the global object. */
function bindingsOf({ scopes, nodes, parents }: Tree, name: string): unknown[] {
  const variables = scopes.scopes.slice(0, 2).flatMap(({ set }) => set.get(name) ?? []);
  const defined = variables.flatMap(({ defs }) =>
    defs.filter(({ type }) => type !== 'Variable').map((it) => it.name),
  );
  const references = [
    ...variables.flatMap((variable) => variable.references),
    ...scopes.scopes[0]!.through.filter(({ identifier }) => nameOf(identifier) === name),
  ];
  const written = references.filter((use) => use.isWrite()).map(({ identifier }) => identifier);
  // Outside of strict mode, a function in a block is a variable around it too.
  const inBlocks = nodes.filter(
    (node) =>
      node.type === 'FunctionDeclaration' && node.id?.name === name && isInBlock(parents, node),
  );
  return [...new Set<unknown>([...defined, ...written, ...inBlocks])];
}

const nameOf = (identifier: unknown) => (identifier as { name: string }).name;

/** Whether a node is in a block of the top level, within no function. */
function isInBlock(parents: ReadonlyMap<AnyNode, AnyNode>, node: AnyNode): boolean {
  const first = parents.get(node);
  for (let at = first; at; at = parents.get(at)) if (isFunction(at)) return false;
  return first?.type !== 'Program';
}

/** Whether `module` or `exports` stands anywhere but in statements that export at the top level. */
function hasOtherExports({ ast, nodes }: Tree): boolean {
  const own = ast.body.flatMap((statement) => exportedBy(statement)?.target ?? []);
  return nodes.some(
    (node) =>
      node.type === 'Identifier' &&
      (node.name === 'module' || node.name === 'exports') &&
      !own.some(({ start, end }) => node.start >= start && node.end <= end),
  );
}

/** By what a node may bind any name; null if it does not. */
function reachOf(tree: Tree, node: AnyNode, entry: string): string | null {
  const parent = tree.parents.get(node);
  switch (node.type) {
    case 'WithStatement':
      return 'with';
    case 'ThisExpression':
      return isGlobalThis(tree, node) && !isHarmless(parent, node, entry) ? 'this' : null;
    case 'Identifier': {
      const isDynamic = dynamic.has(node.name) && isVariable(node, parent);
      return isDynamic && !isHarmless(parent, node, entry) ? node.name : null;
    }
    case 'MemberExpression': {
      const name = propertyOf(node);
      const isWritten = parent?.type === 'AssignmentExpression' && parent.left === node;
      if (name === entry) return isWritten && !isOfClassOrExport(tree, node) ? `.${name}` : null;
      const isOwn = isWritten || isCompared(parent) || node.object.type === 'ThisExpression';
      return name === 'constructor' && !isOwn ? '.constructor' : null;
    }
    case 'ObjectPattern':
      return node.properties.some((it) => it.type === 'Property' && keyOf(it) === 'constructor')
        ? 'constructor'
        : null;
    default:
      return null;
  }
}

/** Whether `this` may be the global object: outside of classes and methods. */
function isGlobalThis({ parents }: Tree, node: AnyNode): boolean {
  let owner: AnyNode | undefined;
  for (let at = parents.get(node); at; at = parents.get(at)) {
    if (at.type === 'ClassBody') return false;
    if (!owner && isFunction(at) && at.type !== 'ArrowFunctionExpression') owner = at;
  }
  const holder = owner && parents.get(owner);
  if (holder?.type === 'Property') return false;
  return holder?.type !== 'AssignmentExpression' || holder.left.type !== 'MemberExpression';
}

/** Reads and writes of one other property, and comparisons. */
function isHarmless(parent: AnyNode | undefined, node: AnyNode, entry: string): boolean {
  if (parent?.type === 'MemberExpression' && parent.object === node) {
    const name = propertyOf(parent);
    return name !== null && name !== entry;
  }
  return isCompared(parent);
}

function isCompared(parent: AnyNode | undefined): boolean {
  if (parent?.type === 'MemberExpression') return propertyOf(parent) === 'name';
  return parent?.type === 'BinaryExpression' || parent?.type === 'UnaryExpression';
}

function isVariable(node: AnyNode, parent: AnyNode | undefined): boolean {
  if (parent?.type === 'MemberExpression') return parent.object === node || parent.computed;
  const isKey = parent && 'key' in parent && parent.key === node;
  return !isKey || ('computed' in parent && parent.computed);
}

/** Whether a property is written of `this` in a class, or exported. */
function isOfClassOrExport(tree: Tree, node: AnyNode): boolean {
  if (node.type !== 'MemberExpression') return false;
  const { object } = node;
  if (object.type === 'ThisExpression') return !isGlobalThis(tree, object);
  const base = object.type === 'MemberExpression' ? object.object : object;
  return base.type === 'Identifier' && (base.name === 'module' || base.name === 'exports');
}

function propertyOf({ property, computed }: Extract<AnyNode, { type: 'MemberExpression' }>) {
  if (property.type === 'Literal') return String(property.value);
  return property.type === 'Identifier' && !computed ? property.name : null;
}

function keyOf({ key }: Extract<AnyNode, { type: 'Property' }>): string | null {
  if (key.type === 'Literal') return String(key.value);
  return key.type === 'Identifier' ? key.name : null;
}
