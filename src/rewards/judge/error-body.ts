// What a service says is wrong. Services, and the proxies before them, have many shapes for it.

const longest = 300;
const longestPage = 20_000;

/**
 * What the body of an answer says is wrong, on one line of at most 300 characters; '' if nothing.
 * @param hide removes secrets from a text
 */
export function messageIn(body: string, hide = (text: string) => text): string {
  const said = parsed(body);
  const text = said === undefined ? withoutTags(body) : (messageOf(said) ?? body);
  const line = hide(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const letters = [...line];
  return letters.length > longest ? `${letters.slice(0, longest).join('')} …` : line;
}

/**
 * The status of an answer: services that answer 200 with an error inside may give the error's own.
 * @returns null if the answer holds a message of the model
 */
export function faultStatus(status: number, body: string): number | null {
  const said = parsed(body);
  if (isAnswer(said)) return null;
  return codeOf(said) ?? status;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Whether there is a message in the format of OpenAI (`choices`) or of Anthropic (`content`). */
function isAnswer(said: unknown): boolean {
  const choice = field(field(said, 'choices'), '0');
  const hasText = Boolean(field(field(choice, 'message'), 'content'));
  const failed = Boolean(field(said, 'error') ?? field(choice, 'error'));
  const hasMessage =
    field(choice, 'message') !== undefined || Array.isArray(field(said, 'content'));
  return hasMessage && (hasText || !failed);
}

/** Keys that hold a message or a further layer of one, the more telling first. */
const layers = ['error', 'errors', 'detail', 'details', 'message', 'msg', 'reason', 'title'];
const deepest = 5;

/** The message of an error in JSON, or of each in a list; undefined if it has no known shape. */
function messageOf(said: unknown, depth = 0): string | undefined {
  if (typeof said === 'string') return said || undefined;
  if (typeof said !== 'object' || said === null || depth > deepest) return undefined;
  if (Array.isArray(said)) {
    const messages = said.slice(0, 10).map((one) => messageOf(one, depth + 1));
    return messages.filter((message) => message !== undefined).join('; ') || undefined;
  }
  // A failed choice of OpenRouter holds its error.
  for (const key of [...(depth === 0 ? layers : ['message', ...layers]), 'choices']) {
    const message = messageOf(field(said, key), depth + 1);
    if (message !== undefined) return placeOf(said) + message;
  }
  return undefined;
}

/** The `loc` of an error of FastAPI: `body.messages.0: `. */
function placeOf(said: object): string {
  const place = field(said, 'loc');
  return Array.isArray(place) ? `${place.map(String).join('.')}: ` : '';
}

/** An error's HTTP status: vLLM's `code`, OpenRouter's `error.code`, `status` of RFC 9457. */
function codeOf(said: unknown): number | undefined {
  const one = Array.isArray(said) ? said[0] : said;
  const choice = field(field(one, 'choices'), '0');
  const places = [field(one, 'error'), field(choice, 'error'), one];
  const codes = places.flatMap((place) => [field(place, 'code'), field(place, 'status')]);
  return codes.map(Number).find((code) => Number.isInteger(code) && code >= 400 && code < 600);
}

/** The text of a page; the title of one is usually what it says. */
function withoutTags(page: string): string {
  if (!/<(!doctype|html|head|body|title|h1)\b/i.test(page)) return page;
  const bare = page
    .slice(0, longestPage)
    .replace(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ');
  return bare.replace(/<[^<>]*>/g, ' ');
}
