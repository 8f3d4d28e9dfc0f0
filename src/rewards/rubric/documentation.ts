// The documentation criterion: the JSDoc block right before the entry. Only that one comment
// counts, so more comments gain nothing, and the parameters that it names must exist.

import type { Comment } from 'acorn';
import type { Asked } from '../programs/entry.ts';
import type { FunctionNode } from '../programs/functions.ts';
import { nodesOf, type ParsedProgram } from '../programs/javascript.ts';

const shares = { description: 0.3, params: 0.4, returns: 0.3 };
/** Value of a plain comment before the entry or at the top of its body. */
const plainComment = 0.25;
/** Distinct words that make a description. */
const enoughWords = 3;

/** How many parameters there are, and how many are documented. */
interface DocumentedParams {
  expected: number;
  named: number;
  /** Named, with a description or type. */
  described: number;
  /** Documented, but missing from the function. */
  unknown: number;
}

/**
 * The documentation of a program in any language; each text is its number of distinct words. A whole
 * program has an opening; an entry has a structured comment or only a plain one.
 */
export type Documentation =
  | { opening: number }
  | { comment: number }
  | {
      description: number;
      params: DocumentedParams;
      /** Whether a result is described if there is one, and not mentioned if there is none. */
      returns: boolean;
    };

/** Documentation in [0, 1]. */
export function weighDocumentation(found: Documentation): number {
  if ('opening' in found) return found.opening >= enoughWords ? 1 : 0;
  if ('comment' in found) return found.comment >= enoughWords ? plainComment : 0;
  return (
    shares.description * (found.description >= enoughWords ? 1 : 0) +
    shares.params * weighParams(found.params) +
    shares.returns * (found.returns ? 1 : 0)
  );
}

/** Half for a parameter's name, half for saying something about it; one less for each unknown. */
function weighParams({ expected, named, described, unknown }: DocumentedParams): number {
  const points = 0.5 * named + 0.5 * described - unknown;
  if (expected === 0) return points < 0 ? 0 : 1;
  return Math.max(0, points / expected);
}

/** Documentation of the entry in [0, 1]; for a whole program, 1 if it begins with a description. */
export function judgeDocumentation(program: ParsedProgram): number {
  return weighDocumentation(readDocumentation(program));
}

function readDocumentation(program: ParsedProgram): Documentation {
  const { asked } = program;
  if (!asked) return { opening: countWords(opening(program)?.value ?? '') };
  const comment = commentBefore(program, asked) ?? firstInBody(program, asked);
  if (!comment) return { comment: 0 };
  if (!isJsdoc(comment) || comment.start > asked.entry.start)
    return { comment: countWords(comment.value) };
  const { description, tags } = readJsdoc(comment.value);
  return {
    description: countWords(description),
    params: countParams(paramNames(asked.entry), tags),
    returns: documentsResult(program, asked.entry, tags),
  };
}

const isJsdoc = ({ type, value }: Comment) => type === 'Block' && value.startsWith('*');

/** The comment that a program begins with. */
function opening({ ast, comments }: ParsedProgram): Comment | undefined {
  const [first] = comments;
  return first && first.start <= (ast.body[0]?.start ?? 0) ? first : undefined;
}

/** The last comment between the definition and the statement before it. */
function commentBefore(
  { ast, comments }: ParsedProgram,
  { definition }: Asked,
): Comment | undefined {
  const before = ast.body[ast.body.indexOf(definition) - 1]?.end ?? 0;
  return comments.findLast(({ start, end }) => start >= before && end <= definition.start);
}

function firstInBody({ comments }: ParsedProgram, { entry: { body } }: Asked): Comment | undefined {
  const first = body.type === 'BlockStatement' ? body.body[0] : undefined;
  return first && comments.find(({ start, end }) => start > body.start && end <= first.start);
}

interface Tag {
  name: string;
  /** The type in braces. */
  type: string;
  /** For `@param`: the parameter's name. */
  subject: string;
  text: string;
}

/** Split the text of a block into the text before the first tag, and the tags. */
function readJsdoc(block: string): { description: string; tags: Tag[] } {
  const lines = block.slice(1).split('\n').map(withoutStar);
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('@')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  const [description = '', ...tags] = sections.map((section) => section.join(' ').trim());
  return { description, tags: tags.map(readTag) };
}

function withoutStar(line: string): string {
  const text = line.trim();
  return (text.startsWith('*') ? text.slice(1) : text).trim();
}

function readTag(text: string): Tag {
  const [name, afterName] = cut(text.slice(1), ' ');
  const typed = afterName.startsWith('{');
  const typeEnd = typed ? closingBrace(afterName) : -1;
  const type = typed ? afterName.slice(1, typeEnd).trim() : '';
  const rest = afterName.slice(typeEnd + 1).trim();
  if (name !== 'param') return { name, type, subject: '', text: rest };
  const isOptional = rest.startsWith('[');
  const [subject, description] = isOptional ? cut(rest.slice(1), ']') : cut(rest, ' ');
  return { name, type, subject: cut(subject, '=')[0].trim(), text: description };
}

/** The text before and after the first `separator`, trimmed. */
function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trim()];
}

function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  return text.length;
}

function paramNames(entry: FunctionNode): (string | null)[] {
  return entry.params.map((param) => {
    const target = param.type === 'AssignmentPattern' ? param.left : param;
    const bare = target.type === 'RestElement' ? target.argument : target;
    return bare.type === 'Identifier' ? bare.name : null;
  });
}

/**
 * Parameters documented by their names. A parameter without a name (a pattern) takes any one tag.
 * A second tag for the same is unknown. `@param point.x` belongs to the `point` before it.
 */
function countParams(names: (string | null)[], tags: Tag[]): DocumentedParams {
  const open = [...names];
  const documented = new Set<string>();
  const counts = { expected: names.length, named: 0, described: 0, unknown: 0 };
  for (const { subject, type, text } of tags.filter(({ name }) => name === 'param')) {
    if (subject.includes('.') && documented.has(cut(subject, '.')[0])) continue;
    documented.add(subject);
    const exact = open.indexOf(subject);
    const at = exact >= 0 ? exact : open.indexOf(null);
    if (at < 0) {
      counts.unknown++;
      continue;
    }
    open.splice(at, 1);
    counts.named++;
    if (type || countWords(text) > 0) counts.described++;
  }
  return counts;
}

/** Whether a `@returns` says something if there is a result, and is left out if there is none. */
function documentsResult(program: ParsedProgram, entry: FunctionNode, tags: Tag[]): boolean {
  const tag = tags.find(({ name }) => name === 'returns' || name === 'return');
  const isExpression = entry.body.type !== 'BlockStatement';
  const givesValue =
    isExpression || nodesOf(program, 'ReturnStatement').some(({ argument }) => argument);
  if (!givesValue) return !tag;
  return tag !== undefined && (tag.type !== '' || countWords(tag.text) > 0);
}

/** Distinct words of two letters or more. */
function countWords(text: string): number {
  const words = new Intl.Segmenter('en', { granularity: 'word' }).segment(text.toLowerCase());
  const long = [...words].filter((it) => it.isWordLike && it.segment.length > 1);
  return new Set(long.map((it) => it.segment)).size;
}
