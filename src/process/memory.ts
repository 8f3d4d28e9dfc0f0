// Recognises processes that died for lack of memory.

import { readFileSync } from 'node:fs';

/** Messages of V8, the C++ library, ONNX Runtime and Python. */
const messages =
  /out of memory|bad_alloc|failed to allocate memory|allocation failed|cannot allocate memory|MemoryError/i;

export function saysNoMemory(text: string): boolean {
  return messages.test(text);
}

/** Processes that the kernel killed for memory since the system started (Linux; 0 elsewhere). */
export function countMemoryKills(): number {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8')) ?? [];
    return Number(count ?? 0);
  } catch {
    return 0;
  }
}
