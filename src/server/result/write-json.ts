import { type ResponsePath, responsePathAsArray } from 'graphql';
import type { Steps } from '../../upstream/steps.ts';

/** Tree of the paths to large values, by key or index. A node without children is a large value. */
interface LargePaths extends Map<string | number, LargePaths> {}

/** The JSON of a value in pieces; undefined if the value is small enough for `JSON.stringify`. */
type Writer = Iterable<string> | undefined;

// Takes a fraction of a millisecond to write.
const CHUNK_LENGTH = 64 * 1_024;

/**
 * Writes the same bytes as `JSON.stringify`, with a pause after each 64 KiB.
 *
 * @param large - Paths of lists, texts and collections that take long to write. Everything else is written in one go.
 * @returns UTF-8.
 */
export function* writeJson(value: object, large: readonly ResponsePath[]): Steps<Buffer> {
  const chunks: Buffer[] = [];
  let text = '';
  for (const part of toWriter(value, toLargePaths(large)) ?? [JSON.stringify(value)]) {
    text += part;
    if (text.length < CHUNK_LENGTH) continue;
    chunks.push(Buffer.from(text));
    text = '';
    yield;
  }
  chunks.push(Buffer.from(text));
  return Buffer.concat(chunks);
}

/**
 * Writes a GraphQL result whose `data` has already been written.
 *
 * @returns UTF-8.
 */
export function withWrittenData(result: object, data: Buffer): Buffer {
  const parts: (Buffer | string)[] = [];
  for (const [key, value] of Object.entries(result)) {
    const text = key === 'data' ? data : JSON.stringify(value);
    if (text !== undefined) parts.push(`${parts.length === 0 ? '{' : ','}${JSON.stringify(key)}:`, text);
  }
  return Buffer.concat([...parts, '}'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function toLargePaths(paths: readonly ResponsePath[]): LargePaths {
  const root: LargePaths = new Map();
  for (const path of paths) {
    let node = root;
    for (const key of responsePathAsArray(path)) {
      const child: LargePaths = node.get(key) ?? new Map();
      node.set(key, child);
      node = child;
    }
  }
  return root;
}

function toWriter(value: unknown, largePaths: LargePaths | undefined): Writer {
  if (!largePaths) return undefined;
  if (typeof value === 'string') return toTextParts(value);
  if (Array.isArray(value)) return toElements(value, (element, index) => toWriter(element, largePaths.get(index)));
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return undefined;
  return largePaths.size === 0
    ? toCollectionWriter(value)
    : toMembers(value, (member, key) => toWriter(member, largePaths.get(key)));
}

/** Writes a collection as upstream sent it, or a folder in it. Nearly all of its content is in the `item` lists. */
function toCollectionWriter(value: unknown): Writer {
  if (typeof value !== 'object' || value === null || !('item' in value)) return undefined;
  return toMembers(value, (member, key) =>
    key === 'item' && Array.isArray(member) ? toElements(member, toCollectionWriter) : undefined,
  );
}

function* toMembers(object: object, writerOf: (member: unknown, key: string) => Writer): Generator<string> {
  let separator = '{';
  for (const [key, member] of Object.entries(object)) {
    const writer = writerOf(member, key);
    const text: string | undefined = writer ? '' : JSON.stringify(member);
    // Like JSON.stringify, omit members that JSON cannot express.
    if (text === undefined) continue;
    yield `${separator}${JSON.stringify(key)}:${text}`;
    if (writer) yield* writer;
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

/** Writes elements in runs. The length of a run is what filled a chunk the last time. */
function* toElements(
  list: readonly unknown[],
  writerOf: (element: unknown, index: number) => Writer,
): Generator<string> {
  let separator = '[';
  let run: unknown[] = [];
  let maxRun = 1;
  const writeRun = () => {
    const text = `${separator}${JSON.stringify(run).slice(1, -1)}`;
    maxRun = Math.max(1, Math.min(2 * run.length, Math.floor((run.length * CHUNK_LENGTH) / text.length)));
    separator = ',';
    run = [];
    return text;
  };
  for (const [index, element] of list.entries()) {
    const writer = writerOf(element, index);
    if (run.length > 0 && (writer || run.length >= maxRun)) yield writeRun();
    if (!writer) {
      run.push(element);
      continue;
    }
    yield separator;
    yield* writer;
    separator = ',';
  }
  if (run.length > 0) yield writeRun();
  yield separator === '[' ? '[]' : ']';
}

/** Writes a text in chunks. It never splits a surrogate pair, because JSON.stringify would escape the halves. */
function* toTextParts(text: string): Generator<string> {
  yield '"';
  for (let start = 0; start < text.length; ) {
    let end = start + CHUNK_LENGTH;
    if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end += 1;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
  yield '"';
}
