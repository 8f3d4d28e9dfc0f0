// What a process wrote just before it ended, for the message that says so. Older output is left out:
// a warning of 20 minutes before says nothing about the end.

const mostChars = 2000;
/** Output of this long before the end can be about the end. */
const recentMs = 10_000;

/** The end of one process's output, with the time of every piece. Not shared between processes. */
export class RecentOutput {
  readonly #pieces: { text: string; at: number }[] = [];
  #chars = 0;
  #signOfLife = Number.POSITIVE_INFINITY;

  /** Keep what a stream of the process writes. */
  follow(stream: NodeJS.ReadableStream | null): void {
    stream?.setEncoding('utf8').on('data', (text: string) => this.add(text));
  }

  add(text: string): void {
    this.#pieces.push({ text, at: performance.now() });
    this.#chars += text.length;
    while (this.#chars - this.#pieces[0]!.text.length >= mostChars)
      this.#chars -= this.#pieces.shift()!.text.length;
  }

  /** The process has shown that it works; what it writes from now on may be about its end. */
  noteLife(): void {
    this.#signOfLife = performance.now();
  }

  /** What was written in the last 10 s, and since the last sign of life. */
  get text(): string {
    const since = Math.min(performance.now() - recentMs, this.#signOfLife);
    const recent = this.#pieces.filter(({ at }) => at >= since);
    return recent
      .map(({ text }) => text)
      .join('')
      .slice(-mostChars)
      .trim();
  }

  /** For the end of a sentence: `its last output:` and the output, or that there was none. */
  describe(): string {
    if (this.text) return `its last output:\n${this.text}`;
    const last = this.#pieces.at(-1);
    if (!last) return 'it wrote nothing to stdout or stderr';
    return `it wrote nothing at its end (the last ${inWords(performance.now() - last.at)} before)`;
  }
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
