// Trains a byte-level BPE tokenizer (Sennrich et al. 2016; bytes as in GPT-2) and writes it as
// Hugging Face's tokenizer.json. Text is split as by Qwen2, and no merge crosses a split.

/** Qwen2's split: words with one preceding symbol, single digits, symbols, line ends, spaces. */
const splitPattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export const endOfText = '<|endoftext|>';
export const endOfCompletion = '<|im_end|>';

/** Tokens in the order of their ids, and the merges in the order they are applied. */
export interface Bpe {
  vocabulary: string[];
  merges: [string, string][];
}

/** A distinct piece of the text, as the symbols merged so far, and its number of occurrences. */
interface Piece {
  symbols: string[];
  count: number;
}

/**
 * Learn merges of the most frequent neighbours until there are `size` tokens, not counting the
 * special ones, or no pair occurs twice. Ties go to the pair that sorts first.
 */
export function trainBpe(texts: Iterable<string>, size: number): Bpe {
  const pieces = piecesOf(texts);
  const vocabulary = [...byteSymbols].sort();
  const merges: [string, string][] = [];
  while (vocabulary.length < size) {
    const pair = mostFrequentPair(pieces);
    if (!pair) break;
    merges.push(pair);
    if (!vocabulary.includes(pair.join(''))) vocabulary.push(pair.join(''));
    for (const piece of pieces) piece.symbols = merged(piece.symbols, pair);
  }
  return { vocabulary, merges };
}

function piecesOf(texts: Iterable<string>): Piece[] {
  const split = new RegExp(splitPattern, 'gu');
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const [piece] of text.matchAll(split)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return [...counts].map(([piece, count]) => ({
    symbols: Array.from(Buffer.from(piece, 'utf8'), (byte) => byteSymbols[byte]!),
    count,
  }));
}

function mostFrequentPair(pieces: readonly Piece[]): [string, string] | null {
  const counts = new Map<string, number>();
  for (const { symbols, count } of pieces)
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]} ${symbols[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  let best = '';
  let most = 1;
  for (const [pair, count] of counts)
    if (count > most || (count === most && best !== '' && pair < best))
      [best, most] = [pair, count];
  return best === '' ? null : (best.split(' ') as [string, string]);
}

function merged(symbols: readonly string[], [left, right]: [string, string]): string[] {
  const result: string[] = [];
  for (const symbol of symbols) {
    if (symbol === right && result.at(-1) === left) result[result.length - 1] = left + right;
    else result.push(symbol);
  }
  return result;
}

/** GPT-2's printable character for every byte: itself if printable, else one from U+0100 on. */
const byteSymbols: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
})();

const byteLevel = {
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: false,
  use_regex: false,
};

/** The content of tokenizer.json; the special tokens take the ids after the vocabulary. */
export function tokenizerJson({ vocabulary, merges }: Bpe): object {
  const added = [endOfText, endOfCompletion].map((content, i) => ({
    id: vocabulary.length + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: splitPattern }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  };
}

/** The content of tokenizer_config.json. */
export const tokenizerConfig = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  model_max_length: 512,
  pad_token: endOfText,
  eos_token: endOfCompletion,
  bos_token: null,
  unk_token: null,
  clean_up_tokenization_spaces: false,
};
