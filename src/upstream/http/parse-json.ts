import { randomUUID } from 'node:crypto';
import type { Steps } from '../steps.ts';

// Parsing this many characters takes two to four milliseconds.
const PIECE_LENGTH = 256 * 1_024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Parses JSON like `JSON.parse`, but a long text in pieces, and yields after each. A piece is made of whole elements of
 * one list, so a text that has few elements in its lists is parsed in few pieces.
 *
 * @param pieceLength - In characters. Default: 256 Ki.
 * @throws {SyntaxError} As `JSON.parse` does.
 */
export function* parseJson(text: string, pieceLength: number = PIECE_LENGTH): Steps<unknown> {
  if (text.length < pieceLength) return JSON.parse(text);
  const pieces = new JsonPieces(text, pieceLength);
  while (pieces.parseNext()) yield;
  return pieces.value();
}

/** Parses JSON as `parseJson` does, with a task for each piece. */
export async function parseJsonInTasks(
  text: string,
  runTask: <Result>(task: () => Result) => Promise<Result>,
): Promise<unknown> {
  const steps = parseJson(text);
  for (;;) {
    const step = await runTask(() => steps.next());
    if (step.done === true) return step.value;
  }
}

/** A list whose end has not been reached; the outermost one is the whole text. */
interface OpenList {
  /** Index of its opening bracket. */
  readonly start: number;
  /** Number of objects that are open in it. */
  objects: number;
  /** The pieces that have been parsed; undefined if none has. */
  pieces: unknown[][] | undefined;
  /** Index at which the current piece begins. */
  from: number;
  /** Length of the lists in the current piece that have been parsed by themselves. */
  parsedLength: number;
}

/** A list that has been parsed by itself. */
interface ParsedList {
  readonly start: number;
  readonly end: number;
  readonly elements: unknown[];
}

const openList = (start: number): OpenList => ({
  start,
  objects: 0,
  pieces: undefined,
  from: start + 1,
  parsedLength: 0,
});

/** A text that is parsed in pieces. A list that is parsed by itself has a mark, a string, in its place around it. */
class JsonPieces {
  readonly #text: string;
  readonly #pieceLength: number;
  // Random, so that no string of the text can be taken for a mark.
  readonly #mark = randomUUID();
  readonly #outerLists: OpenList[] = [];
  // Those that are not yet in a piece themselves, in the order of the text.
  readonly #parsedLists: ParsedList[] = [];
  #list = openList(-1);
  #index = 0;
  // Set for a text that `JSON.parse` has to decide on, because it is invalid or has repeated keys.
  #isUnusual = false;

  constructor(text: string, pieceLength: number) {
    this.#text = text;
    this.#pieceLength = pieceLength;
  }

  /** Parses the next piece. Returns false if none is left but the last, in which marks stand for all long lists. */
  parseNext(): boolean {
    const index = this.#findEndOfPiece();
    const isList = this.#text.charCodeAt(index) === CLOSE_BRACKET;
    const outer = isList ? this.#outerLists.pop() : undefined;
    this.#isUnusual ||= isList && !outer;
    if (index >= this.#text.length || this.#isUnusual) return false;
    this.#parsePiece(index);
    if (outer) this.#endList(outer, index);
    this.#index = index + 1;
    return true;
  }

  /** Returns the index of the next comma, or closing bracket, at which a piece of the current list ends. */
  #findEndOfPiece(): number {
    const text = this.#text;
    let list = this.#list;
    let longFrom = this.#longFrom(list);
    let index = this.#index;
    for (; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === QUOTE) index = endOfString(text, index);
      else if (code === OPEN_BRACE) list.objects++;
      else if (code === CLOSE_BRACE) list.objects--;
      else if (code === COMMA) {
        if (index >= longFrom && list.objects === 0) break;
      } else if (code === OPEN_BRACKET) {
        this.#outerLists.push(list);
        list = openList(index);
        longFrom = this.#longFrom(list);
      } else if (code === CLOSE_BRACKET) {
        const outer = index >= longFrom || list.pieces ? undefined : this.#outerLists.pop();
        if (!outer) break;
        outer.parsedLength += list.parsedLength;
        list = outer;
        longFrom = this.#longFrom(list);
      }
    }
    this.#list = list;
    return index;
  }

  /** The index from which on the current piece of a list is long. */
  #longFrom({ from, parsedLength }: OpenList): number {
    return from + parsedLength + this.#pieceLength;
  }

  value(): unknown {
    this.#isUnusual ||= this.#outerLists.length > 0;
    if (!this.#isUnusual) this.#parsePiece(this.#text.length);
    const [values = [], ...others] = this.#list.pieces ?? [];
    return this.#isUnusual || values.length > 1 || others.length > 0 ? JSON.parse(this.#text) : values[0];
  }

  #parsePiece(end: number): void {
    const list = this.#list;
    const parsedLists = this.#parsedLists.splice(this.#parsedLists.findLastIndex(({ end }) => end <= list.from) + 1);
    let text = '';
    let from = list.from;
    for (const [number, parsed] of parsedLists.entries()) {
      text += `${this.#text.slice(from, parsed.start)}"${this.#mark}${number}"`;
      from = parsed.end;
    }
    const piece = JSON.parse(`[${text}${this.#text.slice(from, end)}]`) as unknown[];
    if (parsedLists.length > 0 && this.#replaceMarks(piece, parsedLists) < parsedLists.length) this.#isUnusual = true;
    // A comma without an element would get lost.
    if (piece.length === 0) this.#isUnusual = true;
    list.pieces ??= [];
    list.pieces.push(piece);
    list.from = end + 1;
    list.parsedLength = 0;
  }

  /** Ends the current list, whose pieces have been parsed. */
  #endList(outer: OpenList, index: number): void {
    const { start, pieces = [] } = this.#list;
    this.#parsedLists.push({ start, end: index + 1, elements: pieces.flat() });
    outer.parsedLength += index + 1 - start;
    this.#list = outer;
  }

  /** Puts the lists in the place of their marks, at any depth. Returns how many marks it found. */
  #replaceMarks(piece: unknown[], lists: readonly ParsedList[]): number {
    let found = 0;
    const containers = [piece as unknown as Record<string, unknown>];
    for (let container = containers.pop(); container; container = containers.pop())
      for (const key of Object.keys(container)) {
        const value = container[key];
        if (typeof value === 'object' && value !== null) containers.push(value as Record<string, unknown>);
        else if (typeof value === 'string' && value.startsWith(this.#mark)) {
          container[key] = lists[Number(value.slice(this.#mark.length))]?.elements;
          found++;
        }
      }
    return found;
  }
}

/** Returns the index of the closing quote of a string; the length of the text if it has none. */
function endOfString(text: string, start: number): number {
  let end = start;
  do end = text.indexOf('"', end + 1);
  while (end !== -1 && isEscaped(text, end));
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
  let start = index;
  while (text.charCodeAt(start - 1) === BACKSLASH) start--;
  return (index - start) % 2 === 1;
}
