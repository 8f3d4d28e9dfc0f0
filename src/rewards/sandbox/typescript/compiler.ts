// Compiles TypeScript programs: removes their types and reports type errors. It has a sandbox process
// of its own, because types can make a compiler use any amount of time and memory; it runs no
// program. Each program gets a new checker, on declarations of the language that are parsed once.
// The limit counts the objects that the compiler creates (types, symbols, nodes), not time, so that
// a verdict does not depend on how busy the machine is.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript6';
import type { CallOutcome, ProgramOutcome, SandboxProgram } from '../protocol.ts';
import { AllocationLimitError, limitAllocations } from './allocation-limit.ts';

/** Objects that the compiler may create for a program; a short one needs some hundreds. */
const mostCreated = 200_000;
/** As for JavaScript. Checking some kinds of text takes time that grows with its square. */
const mostChars = 65_536;
const greeting = 'const greeting = [1].map(String);\nconsole.log(greeting);\n';
const programName = '/program.ts';
const libraryName = 'lib.es2023.d.ts';
const target = ts.ScriptTarget.ES2023;
const language: ts.CompilerOptions = {
  target,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};
const checking: ts.CompilerOptions = {
  ...language,
  strict: true,
  erasableSyntaxOnly: true,
  lib: [libraryName],
  moduleDetection: ts.ModuleDetectionKind.Force,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
  noEmit: true,
};
/** Keeps a script as it is: the compiler adds nothing in front. */
const stripping: ts.CompilerOptions = {
  ...language,
  alwaysStrict: false,
  ignoreDeprecations: '6.0',
};
/** Declarations that programs have in addition to the language's. */
const hostText = `
declare const console: Record<'log' | 'info' | 'warn' | 'error' | 'debug' | 'trace' | 'assert' | 'table' | 'dir' | 'group' | 'groupEnd' | 'time' | 'timeEnd' | 'count', (...values: unknown[]) => void>;
declare const process: {
  argv: string[];
  env: Record<string, string | undefined>;
  exitCode: number | undefined;
  stdout: { write(text: string): boolean };
  stderr: { write(text: string): boolean };
  exit(code?: number): never;
  nextTick(call: (...values: any[]) => void, ...values: unknown[]): void;
  stdin: NodeJS.ReadStream;
};
declare const module: { exports: unknown };
declare const exports: Record<string, unknown>;
declare function print(...values: unknown[]): void;
declare function readline(): string | null;
declare function queueMicrotask(call: () => void): void;
declare function structuredClone<T>(value: T): T;
declare const performance: { now(): number };
declare function setTimeout<T extends unknown[]>(call: (...values: T) => void, delay?: number, ...values: T): NodeJS.Timeout;
declare function setInterval<T extends unknown[]>(call: (...values: T) => void, delay?: number, ...values: T): NodeJS.Timeout;
declare function setImmediate<T extends unknown[]>(call: (...values: T) => void, ...values: T): NodeJS.Timeout;
declare function clearTimeout(timer?: NodeJS.Timeout): void;
declare function clearInterval(timer?: NodeJS.Timeout): void;
declare function clearImmediate(timer?: NodeJS.Timeout): void;
declare namespace NodeJS {
  interface Timeout { ref(): this; unref(): this; hasRef(): boolean }
  interface ReadStream extends AsyncIterable<string> {
    on(event: string, call: (chunk: string) => void): this;
    once(event: string, call: (chunk: string) => void): this;
    setEncoding(encoding: string): this;
    resume(): this;
    read(): string | null;
  }
}
declare module 'fs' {
  function readFileSync(file: 0 | '/dev/stdin', encoding?: unknown): string;
}
declare module 'readline' {
  interface Interface extends AsyncIterable<string> {
    on(event: string, call: (line: string) => void): this;
    once(event: string, call: (line: string) => void): this;
    question(text: string, call: (answer: string) => void): void;
    close(): void;
  }
  function createInterface(options?: { input?: unknown; output?: unknown; [option: string]: unknown }): Interface;
}
declare module 'assert' {
  const assert: any;
  export default assert;
}
declare module 'events' {
  class EventEmitter {
    on(event: string, call: (...values: any[]) => void): this;
    once(event: string, call: (...values: any[]) => void): this;
    off(event: string, call: (...values: any[]) => void): this;
    emit(event: string, ...values: unknown[]): boolean;
    listenerCount(event: string): number;
    removeAllListeners(event?: string): this;
  }
  export default EventEmitter;
  export { EventEmitter };
}
declare module 'node:fs' { export * from 'fs'; }
declare module 'node:readline' { export * from 'readline'; }
declare module 'node:assert' { export { default } from 'assert'; }
declare module 'node:events' { export * from 'events'; export { default } from 'events'; }
declare function require(name: 'fs' | 'node:fs'): typeof import('fs');
declare function require(name: 'readline' | 'node:readline'): typeof import('readline');
declare function require(name: 'events' | 'node:events'): typeof import('events').default;
declare function require(name: 'assert' | 'node:assert'): any;
`;
/** "This syntax is not allowed when 'erasableSyntaxOnly' is enabled." */
const notErasable = 1294;

/** The compiler's result for a program. */
export interface Compiled {
  /** The program in JavaScript: its types removed, nothing put in their place. */
  script: string;
  /** Its errors under `strict`, in order. */
  errors: string[];
  /** Places where the program evades the checker: `any`, and casts through `unknown`. */
  escapes: number;
}

/** The compiler, with the declarations of the language. */
export class Compiler {
  readonly #library: ts.SourceFile;

  private constructor() {
    const folder = dirname(createRequire(import.meta.url).resolve('typescript6'));
    const text = [...libraryTexts(folder, libraryName, new Set()), hostText].join('\n');
    this.#library = ts.createSourceFile(`/${libraryName}`, text, target);
  }

  static async load(): Promise<Compiler> {
    const compiler = new Compiler();
    // The first check binds the declarations; no program should be charged for that.
    compiler.#check(greeting);
    return compiler;
  }

  /**
   * Read a program. With entry `check` the outcome is a Compiled as JSON, with `strip` only the
   * script, unchecked.
   * @throws any error that breaks the compiler itself.
   */
  run({ source, entry }: SandboxProgram): ProgramOutcome {
    if (source.length > mostChars)
      return [{ failed: `longer than ${mostChars} characters: ${source.length}` }];
    try {
      const read = () => (entry === 'check' ? this.#compile(source) : strip(source));
      return [limitAllocations(mostCreated, read)];
    } catch (error) {
      // The compiler was interrupted; a complete check resets its state.
      this.#check(greeting);
      if (error instanceof AllocationLimitError)
        return [{ failed: 'types that take too much to check' }];
      if (error instanceof RangeError) return [{ failed: 'does not parse: nested too deeply' }];
      throw error;
    }
  }

  #compile(source: string): CallOutcome {
    const stripped = strip(source);
    if ('failed' in stripped) return stripped;
    const { file, diagnostics } = this.#check(source);
    const foreign = diagnostics.find(({ code }) => code === notErasable);
    if (foreign)
      return {
        failed: `does not strip: ${lineOf(foreign)}: enums, namespaces with values, parameter properties and <type> casts are more than types`,
      };
    const compiled: Compiled = {
      script: stripped.returned,
      errors: diagnostics.map(worded),
      escapes: escapesIn(file),
    };
    return { returned: JSON.stringify(compiled) };
  }

  #check(source: string): { file: ts.SourceFile; diagnostics: readonly ts.Diagnostic[] } {
    const file = parse(programName, withoutOrders(source));
    const host = this.#hostWith(file);
    const program = ts.createProgram({ rootNames: [programName], options: checking, host });
    return { file, diagnostics: program.getSemanticDiagnostics(file) };
  }

  /** The compiler sees only the program and the declarations: no folders, packages or other files. */
  #hostWith(file: ts.SourceFile): ts.CompilerHost {
    const files = new Map([file, this.#library].map((it) => [it.fileName, it]));
    return {
      getSourceFile: (name) => files.get(name),
      fileExists: (name) => files.has(name),
      readFile: () => undefined,
      writeFile: () => {},
      getDefaultLibFileName: () => `/${libraryName}`,
      getDefaultLibLocation: () => '/',
      getCurrentDirectory: () => '/',
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
    };
  }
}

/**
 * The texts of a library, after those that it refers to. As one file, its declarations are merged
 * once, on binding, and not by every checker.
 */
function libraryTexts(folder: string, name: string, seen: Set<string>): string[] {
  if (seen.has(name)) return [];
  seen.add(name);
  const text = readFileSync(join(folder, name), 'utf8');
  const { libReferenceDirectives } = ts.preProcessFile(text);
  const needed = libReferenceDirectives.flatMap(({ fileName }) =>
    libraryTexts(folder, `lib.${fileName}.d.ts`, seen),
  );
  return [...needed, text.replace(/^\/\/\/\s*<reference.*$/gm, '')];
}

function strip(source: string): { returned: string } | { failed: string } {
  const { outputText, diagnostics = [] } = ts.transpileModule(source, {
    fileName: programName,
    compilerOptions: stripping,
    reportDiagnostics: true,
  });
  const [error] = diagnostics;
  return error ? { failed: `does not parse: ${worded(error)}` } : { returned: outputText };
}

/** The checker sees a program as a module, so that its names do not clash with the language's. */
function parse(name: string, text: string): ts.SourceFile {
  const setExternalModuleIndicator = (file: ts.SourceFile) => {
    (file as { externalModuleIndicator?: ts.Node }).externalModuleIndicator = file;
  };
  return ts.createSourceFile(name, text, {
    languageVersion: target,
    setExternalModuleIndicator,
  });
}

/**
 * A text of the same length without comments that direct the compiler: to ignore errors
 * (`@ts-ignore` and others) or to include other files (`/// <reference`).
 */
function withoutOrders(source: string): string {
  return source.replace(/@ts-/gi, '@ts_').replace(/\/\/\/(?=\s*<)/g, '//-');
}

function escapesIn(file: ts.SourceFile): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword || isCastFromAnything(node)) count++;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return count;
}

/** `it as unknown as T`, `it as never`. */
function isCastFromAnything(node: ts.Node): boolean {
  if (!ts.isAsExpression(node)) return false;
  const { expression: inner, type } = node;
  return (
    type.kind === ts.SyntaxKind.NeverKeyword ||
    (ts.isAsExpression(inner) && inner.type.kind === ts.SyntaxKind.UnknownKeyword)
  );
}

function worded(diagnostic: ts.Diagnostic): string {
  const { messageText } = diagnostic;
  const message = typeof messageText === 'string' ? messageText : messageText.messageText;
  return `${lineOf(diagnostic)}: ${message.slice(0, 150)}`;
}

function lineOf({ file, start }: ts.Diagnostic): string {
  if (!file || start === undefined) return 'the program';
  return `line ${ts.getLineAndCharacterOfPosition(file, start).line + 1}`;
}
