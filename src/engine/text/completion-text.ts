// The text of a completion: what it adds to the text of its prompt. Decoding a completion by itself
// loses what its first token owes to the prompt: SentencePiece's decoders take the space from a
// text's first word, and a character's bytes may lie on both sides.

type Decode = (ids: readonly number[]) => string;

/** Stands for bytes that are no character, or not yet. */
const replacement = '\ufffd';
/** In bytes, so in tokens too. */
const longestCharacter = 4;
/** Tokens that stay open: a character behind tokens without text, such as a stripped space. */
const mostOpen = 2 * longestCharacter;

/** decode(prompt + completion) from where it differs from decode(prompt). */
export function completionText(
  decode: Decode,
  prompt: readonly number[],
  completion: readonly number[],
): string {
  return beyond(decode(prompt), decode([...prompt, ...completion]));
}

/** What `whole` has after the characters that `start` begins with too. */
function beyond(start: string, whole: string): string {
  if (whole.startsWith(start)) return whole.slice(start.length);
  let same = 0;
  while (same < start.length && start[same] === whole[same]) same++;
  const isHalf = /[\udc00-\udfff]/.test(whole[same] ?? '') && same > 0;
  return whole.slice(isHalf ? same - 1 : same);
}

/**
 * A completion's text as its tokens come, in time linear in their number: each is decoded behind a
 * few before it.
 */
export class CompletionStream {
  readonly #decode: Decode;
  /** The last tokens with settled text, then those after them. */
  #context: readonly number[];
  #open: number[] = [];

  /** @param prompt the prompt's tokens */
  constructor(decode: Decode, prompt: readonly number[]) {
    this.#decode = decode;
    this.#context = prompt;
  }

  /**
   * The text of the tokens since the last settled text. It is settled unless it ends within a
   * character, which the next tokens may complete.
   */
  push(token: number): { text: string; settled: boolean } {
    this.#open.push(token);
    const text = completionText(this.#decode, this.#context, this.#open);
    const isPart = text === '' || text.endsWith(replacement);
    if (isPart && this.#open.length < mostOpen) return { text, settled: false };
    this.#context = this.#lastCharacters();
    this.#open = [];
    return { text, settled: true };
  }

  /** The open tokens, and those before them that begin their first character. */
  #lastCharacters(): number[] {
    for (let more = 0; more < longestCharacter; more++) {
      const tokens = [...(more > 0 ? this.#context.slice(-more) : []), ...this.#open];
      if (!this.#decode(tokens).startsWith(replacement)) return tokens;
    }
    return this.#open;
  }
}

/** Finds the token of a completion that completes one of several strings. */
export class StopSearch {
  readonly #stream: CompletionStream;
  readonly #stops: readonly string[];
  /** The end of the settled text: a stop string may begin in it. */
  #tail = '';

  constructor(stream: CompletionStream, stops: readonly string[]) {
    this.#stream = stream;
    this.#stops = stops;
  }

  /** Whether the text of the tokens up to this one has a stop string. */
  push(token: number): boolean {
    const { text, settled } = this.#stream.push(token);
    const end = this.#tail + text;
    const longest = Math.max(...this.#stops.map(({ length }) => length));
    if (settled) this.#tail = longest > 1 ? end.slice(1 - longest) : '';
    return this.#stops.some((stop) => end.includes(stop));
  }
}
