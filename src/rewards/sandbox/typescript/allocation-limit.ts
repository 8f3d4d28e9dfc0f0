// Counts what the compiler creates, and stops it at a limit. The compiler has limits of its own, but
// each for one expression alone, and each large enough to hold a process for seconds.

import ts from 'typescript6';

type Constructor = new (...args: unknown[]) => object;
/** The compiler's own hook for editors, which its published types leave out. */
interface Hook {
  objectAllocator: Record<string, () => Constructor>;
  setObjectAllocator(allocator: Record<string, () => Constructor>): void;
}
const constructors = [
  'getIdentifierConstructor',
  'getNodeConstructor',
  'getSignatureConstructor',
  'getSymbolConstructor',
  'getTokenConstructor',
  'getTypeConstructor',
];

let left = Number.POSITIVE_INFINITY;

export class TooMuch extends Error {}

const { objectAllocator, setObjectAllocator } = ts as unknown as Hook;
setObjectAllocator({
  ...objectAllocator,
  ...Object.fromEntries(
    constructors.map((name) => {
      const counted = counting(objectAllocator[name]!());
      return [name, () => counted];
    }),
  ),
});

function counting(create: Constructor): Constructor {
  return class extends create {
    constructor(...args: unknown[]) {
      super(...args);
      if (--left < 0) throw new TooMuch();
    }
  };
}

/** What `work` comes to. @throws TooMuch where the compiler creates more than `most` things for it. */
export function countCreated<T>(most: number, work: () => T): T {
  left = most;
  try {
    return work();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}
