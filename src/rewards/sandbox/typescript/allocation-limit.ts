// Counts the objects that the TypeScript compiler creates and stops it at a limit. Its own limits
// apply per expression and are large enough to block a process for seconds.

import ts from 'typescript6';

type Constructor = new (...args: unknown[]) => object;
/** The compiler's hook for editors, missing from its published types. */
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

export class AllocationLimitError extends Error {}

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
      if (--left < 0) throw new AllocationLimitError();
    }
  };
}

/** Run `work`. @throws AllocationLimitError if the compiler creates more than `most` objects in it. */
export function limitAllocations<T>(most: number, work: () => T): T {
  left = most;
  try {
    return work();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}
