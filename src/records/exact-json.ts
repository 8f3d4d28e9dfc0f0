// JSON with whole numbers of any size: one that a double cannot be trusted with is a bigint.

/** What a reviver learns of a number; ES2026, not yet in TypeScript's library. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
type RawJson = { rawJSON: (text: string) => unknown };

/** Digits without point or exponent, that may be beyond 2^53. Text in strings may match too. */
const manyDigits = /\d{16}/;
const wholeNumber = /^-?\d+$/;

/** The value of a JSON text. @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  if (!manyDigits.test(text)) return JSON.parse(text);
  const revive: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && wholeNumber.test(source ?? '')
      ? BigInt(source!)
      : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** The JSON text of a value that may hold bigints; `parseExactJson` reads the same from it. */
export function toExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === 'bigint') return rawJson(String(item));
    const isRounded = Number.isInteger(item) && !Number.isSafeInteger(item);
    return isRounded ? rawJson((item as number).toExponential()) : item;
  });
}

function rawJson(text: string): unknown {
  return (JSON as unknown as RawJson).rawJSON(text);
}
