// Text tables for the terminal.

import { stripVTControlCharacters } from 'node:util';

/** Lines of a table: columns as wide as their widest cell, numbers aligned right. */
export function tableLines(columns: readonly string[], rows: readonly string[][]): string[] {
  const all = [[...columns], ...rows];
  const widths = columns.map((_, column) =>
    Math.max(...all.map((row) => width(row[column] ?? ''))),
  );
  const numeric = columns.map((_, column) => rows.every((row) => isFigure(row[column] ?? '')));
  return all.map((row) =>
    widths
      .map((size, column) => pad(row[column] ?? '', size, numeric[column] ?? false))
      .join('  ')
      .trimEnd(),
  );
}

/** A number, or the dash of a missing one. */
function isFigure(cell: string): boolean {
  return /^[-+−–]?[\d.]*%?$/.test(stripVTControlCharacters(cell));
}

/** Displayed characters of a text, without colour codes. */
export function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

function pad(text: string, size: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, size - width(text)));
  return right ? space + text : text + space;
}
