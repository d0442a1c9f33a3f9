/** Reads a YAML file as plain values, and remembers where each of them stands. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { LookaheadError, messageOf } from './errors.js';

const bytesMax = 1_000_000;

export interface Yaml {
  readonly values: Record<string, unknown>;
  /** `file:line:column` of a value, or of its key. */
  readonly locate: (path: readonly PropertyKey[], onKey: boolean) => string;
}

export function readYaml(file: string, cwd: string): Yaml {
  const path = resolve(cwd, file);
  const shown = isAbsolute(file) ? file : relative(cwd, path);
  const text = readText(path, shown);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    const above = text.split(/\r?\n/).slice(0, line);
    const shownPart = isBelowWebhooks(above) ? '' : excerpt(above.at(-1) ?? '', line, col);
    return `${shown}:${line}:${col}${shownPart}`;
  };
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    throw invalid(problems.map((problem) => `${problem.message}\n  at ${at(problem.pos[0])}`));
  }
  visit(document, {
    Pair: (_, { key }) => {
      // The only key that would change what the others mean; the schema would pass over it in silence.
      if (!isScalar(key) || key.value !== '__proto__') return;
      throw invalid([`"__proto__" is no name\n  at ${at(startOf(key) ?? 0)}`]);
    },
  });
  if (document.contents === null) return { values: {}, locate: () => shown };
  if (!isMap(document.contents)) {
    throw invalid([`${shown} does not hold keys and values (like "site: home").`]);
  }
  return {
    values: plain(document, shown),
    locate: (keys, onKey) => at(offsetOf(document, keys, onKey)),
  };
}

function plain(document: Document, shown: string): Record<string, unknown> {
  try {
    // A few dozen anchors are convenience; thousands of expanded aliases are an attack on memory.
    return document.toJS({ maxAliasCount: 50 }) as Record<string, unknown>;
  } catch (error) {
    throw invalid([`${shown}: ${messageOf(error)}.`]);
  }
}

function readText(path: string, shown: string): string {
  const unreadable = (why: string, cause?: unknown): LookaheadError =>
    new LookaheadError(
      'config_unreadable',
      `The configuration file ${shown} ${why}.`,
      'Give the path of a YAML file in UTF-8 with --config FILE.',
      { cause },
    );
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw unreadable('is not a regular file');
    if (stat.size > bytesMax)
      throw unreadable(`has ${stat.size} bytes; at most ${bytesMax} are read`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof LookaheadError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw unreadable(
      code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code)})`,
      error,
    );
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (text.includes('\0')) throw unreadable('is not text in UTF-8');
    return text;
  } catch (error) {
    throw error instanceof LookaheadError ? error : unreadable('is not text in UTF-8', error);
  }
}

/** The value's place in the text; the nearest place above it where the value is not written out. */
function offsetOf(document: Document, path: readonly PropertyKey[], onKey: boolean): number {
  let node: unknown = document.contents;
  let offset = 0;
  path.forEach((part, depth) => {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      : undefined;
    const list = node as { items?: unknown[] } | null;
    const next = pair ?? (typeof part === 'number' ? list?.items?.[part] : undefined);
    const last = depth === path.length - 1;
    const value = isPair(next) ? next.value : next;
    const found = isPair(next) && (last && onKey ? next.key : (next.value ?? next.key));
    offset = startOf(found === false ? next : found) ?? offset;
    node = value;
  });
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] } | null | undefined)?.range?.[0];
}

/**
 * The line with a caret under the column. Nothing is shown of a line that may hold a secret, or that is none of a
 * configuration: somebody may have named a file such as /etc/shadow by mistake.
 */
function excerpt(source: string, line: number, column: number): string {
  if (/pass|token|secret|@/i.test(source) || !/^[^:]*:(\s|$)/.test(source)) return '';
  const from = Math.max(0, column - 80);
  const label = String(line);
  const shown = source.slice(from, from + 100).replace(/\t/g, ' ');
  return `\n  ${label} | ${shown}\n  ${' '.repeat(label.length)} | ${' '.repeat(column - 1 - from)}^`;
}

/**
 * The address of a webhook is a secret and looks like none. Whether the last line is part of one is told by the outermost key
 * above it; what begins with none (`{`) may be anything.
 */
function isBelowWebhooks(lines: readonly string[]): boolean {
  const outermost = lines.findLast((line) => /^[^\s#]/.test(line)) ?? '';
  return (
    !/^(?!webhooks)[A-Za-z]+ *:/.test(outermost) && lines.some((line) => line.includes('webhooks'))
  );
}

/** One error for all problems of a configuration, a line or more for each. */
export function invalid(problems: readonly string[]): LookaheadError {
  const shown = problems.slice(0, 20);
  const more = problems.length - shown.length;
  const lines = more > 0 ? [...shown, `and ${more} more`] : shown;
  return new LookaheadError(
    'config_invalid',
    lines.join('\n'),
    'Correct it; deploy/lookahead.example.yaml explains every key.',
  );
}
