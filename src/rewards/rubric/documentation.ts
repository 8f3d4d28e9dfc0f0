// The documentation criterion: the JSDoc block right before the entry. Only that one comment
// counts, so that more comments gain nothing, and what it says of parameters must be true.

import type { Comment } from 'acorn';
import { type FunctionNode, nodesOf, type ParsedProgram } from './syntax.ts';

const shares = { description: 0.3, params: 0.4, returns: 0.3 };
/** What a plain comment before the entry, or at the top of its body, is worth. */
const plainComment = 0.25;
/** Distinct words that make a description. */
const enoughWords = 3;

type Asked = NonNullable<ParsedProgram['asked']>;

/** Documentation of the entry in [0, 1]; of a whole program, whether it begins with a description. */
export function judgeDocumentation(program: ParsedProgram): number {
  const { asked } = program;
  if (!asked) return isDescription(opening(program)?.value ?? '') ? 1 : 0;
  const comment = commentBefore(program, asked) ?? firstInBody(program, asked);
  if (!comment) return 0;
  if (!isJsdoc(comment) || comment.start > asked.entry.start)
    return isDescription(comment.value) ? plainComment : 0;
  const { description, tags } = readJsdoc(comment.value);
  return (
    shares.description * (isDescription(description) ? 1 : 0) +
    shares.params * judgeParams(paramNames(asked.entry), tags) +
    shares.returns * judgeReturns(program, asked.entry, tags)
  );
}

const isJsdoc = ({ type, value }: Comment) => type === 'Block' && value.startsWith('*');

/** The comment that a program begins with. */
function opening({ ast, comments }: ParsedProgram): Comment | undefined {
  const [first] = comments;
  return first && first.start <= (ast.body[0]?.start ?? 0) ? first : undefined;
}

/** The last comment between the statement before the definition and the definition. */
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
  /** What stands in braces. */
  type: string;
  /** For `@param`: the parameter's name. */
  subject: string;
  text: string;
}

/** Take the text of a block apart: what stands before the first tag, and the tags. */
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

/** What stands before and after the first `separator`, trimmed. */
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
 * Parameters documented by their names: half for the name, half for a word on it or a type. Every
 * tag for a parameter that is not there, or is there already, takes one away. A parameter without
 * a name (a pattern) takes any one tag. `@param point.x` belongs to the `point` before it.
 */
function judgeParams(names: (string | null)[], tags: Tag[]): number {
  const open = [...names];
  const documented = new Set<string>();
  let points = 0;
  for (const { subject, type, text } of tags.filter(({ name }) => name === 'param')) {
    if (subject.includes('.') && documented.has(cut(subject, '.')[0])) continue;
    documented.add(subject);
    const exact = open.indexOf(subject);
    const at = exact >= 0 ? exact : open.indexOf(null);
    if (at >= 0) open.splice(at, 1);
    points += at >= 0 ? 0.5 + (type || wordsOf(text).size > 0 ? 0.5 : 0) : -1;
  }
  if (names.length === 0) return points < 0 ? 0 : 1;
  return Math.max(0, points / names.length);
}

/** A `@returns` that says something, where there is something to return, and only there. */
function judgeReturns(program: ParsedProgram, entry: FunctionNode, tags: Tag[]): number {
  const tag = tags.find(({ name }) => name === 'returns' || name === 'return');
  const isExpression = entry.body.type !== 'BlockStatement';
  const givesValue =
    isExpression || nodesOf(program, 'ReturnStatement').some(({ argument }) => argument);
  if (!givesValue) return tag ? 0 : 1;
  return tag && (tag.type || wordsOf(tag.text).size > 0) ? 1 : 0;
}

function isDescription(text: string): boolean {
  return wordsOf(text).size >= enoughWords;
}

/** Distinct words of two letters or more. */
function wordsOf(text: string): Set<string> {
  const words = new Intl.Segmenter('en', { granularity: 'word' }).segment(text.toLowerCase());
  return new Set(
    [...words].filter((it) => it.isWordLike && it.segment.length > 1).map((it) => it.segment),
  );
}
