import { randomInt } from 'node:crypto';
import { JsonStringReader, toHash } from './json-string.ts';
import { leveledTypes } from '../../postman/levels.ts';

/** Estimates the cost of a JSON text while it arrives, before it is parsed. */
export interface JsonMeter {
  /** Processes the next bytes of the text, UTF-8. */
  add(chunk: Uint8Array): void;
  /**
   * The work of parsing and reading the text, as a number of values. A sequence of keys for which V8 needs a new hidden
   * class counts as ten values, an item of a tree or a list as six, because they take that much longer.
   */
  readonly values: number;
  /**
   * Bytes on V8's heap of the parsed text, including the index of a collection's tree or the objects made of a list's
   * items, but without the text itself.
   */
  readonly heapBytes: number;
}

// Sizes on the heap of 64-bit V8 without compressed pointers, as measured by test/unit/http/json-weight.test.ts.
const SLOT_BYTES = 8;
const OBJECT_BYTES = 24;
// V8 reserves this for future members in `{}`, but not in an object with members.
const SLACK_BYTES = 32;
const ARRAY_BYTES = 48;
const NUMBER_BYTES = 16;
const STRING_BYTES = 16;
// A hidden class with its part of the list of members, or an entry of an object that has become a hash table.
const SHAPE_BYTES = 144;
// The object that is built for an item of a tree (its index entry) or of a list: with ids and timestamps.
const ITEM_BYTES = 460;
const VALUES_OF_SHAPE = 10;
const VALUES_OF_ITEM = 6;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

// Random, so that nobody can construct keys whose hashes collide.
const SEED = randomInt(1, 2 ** 30);
/** Hashes of the keys whose lists are read item by item. */
const ITEM_KEYS: ReadonlySet<number> = new Set(
  ['item', ...Object.values(leveledTypes).map(({ list }) => list)].map((key) => Buffer.from(key).reduce(toHash, SEED)),
);

type Position = 'between' | 'scalar' | 'string' | 'key';

const OBJECT = 0;
const ARRAY = 1;
const ITEMS = 2;
type Container = typeof OBJECT | typeof ARRAY | typeof ITEMS;

/**
 * The meter of one text.
 *
 * It counts the size on the heap, not that of the text: `[]` takes 28 times as much on the heap as in the text. It only
 * recognises where values begin and end, which is right for valid JSON; `JSON.parse` rejects anything else.
 */
class TextMeter implements JsonMeter {
  values = 0;
  heapBytes = 0;
  #position: Position = 'between';
  #isKeyNext = false;
  // Whether the last key is, or may be, one of ITEM_KEYS.
  #mayBeItemKey = false;
  readonly #string = new JsonStringReader(SEED);
  // The innermost open container, and the hash of its keys so far: V8 creates one hidden class per sequence of keys.
  #container: Container = ARRAY;
  #shape = SEED;
  // The containers around it, as two numbers each: objects would take more memory than what is measured.
  readonly #outerContainers: number[] = [];
  readonly #seenShapes = new Set<number>();

  add(chunk: Uint8Array): void {
    for (let index = 0; index < chunk.length; index++) {
      const position = this.#position;
      if (position === 'between' || position === 'scalar') this.#readBetween(chunk[index] as number);
      else {
        index = this.#string.read(chunk, index);
        if (index === chunk.length) return;
        if (position === 'key') this.#endKey();
        else this.heapBytes += STRING_BYTES + this.#string.bytes();
        this.#position = 'between';
      }
    }
  }

  /** Processes a byte outside strings. */
  #readBetween(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#position = this.#isKeyNext ? 'key' : 'string';
        this.#string.begin(this.#isKeyNext);
        if (!this.#isKeyNext) this.#addValue(0);
        break;
      case COMMA:
        this.#position = 'between';
        this.#isKeyNext = this.#container === OBJECT;
        break;
      case OPEN_BRACE:
        if (this.#container === ITEMS) this.values += VALUES_OF_ITEM - 1;
        this.#addValue(OBJECT_BYTES + SLACK_BYTES + (this.#container === ITEMS ? ITEM_BYTES : 0));
        this.#open(OBJECT);
        break;
      case OPEN_BRACKET:
        this.#addValue(ARRAY_BYTES);
        this.#open(this.#container === OBJECT && this.#mayBeItemKey ? ITEMS : ARRAY);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.#position = 'between';
        this.#shape = this.#outerContainers.pop() ?? SEED;
        this.#container = (this.#outerContainers.pop() ?? ARRAY) as Container;
        break;
      default:
        if (byte <= SPACE || byte === COLON) this.#position = 'between';
        else if (this.#position !== 'scalar') {
          this.#position = 'scalar';
          this.#addValue(NUMBER_BYTES);
        }
    }
  }

  #addValue(bytes: number): void {
    this.values++;
    this.heapBytes += SLOT_BYTES + bytes;
  }

  #open(opened: Container): void {
    this.#outerContainers.push(this.#container, this.#shape);
    this.#container = opened;
    this.#shape = SEED;
    this.#isKeyNext = opened === OBJECT;
    this.#position = 'between';
  }

  #endKey(): void {
    const { hash, isIndex, hasNumbers } = this.#string;
    this.#isKeyNext = false;
    this.#mayBeItemKey = hasNumbers || ITEM_KEYS.has(hash);
    if (this.#shape === SEED) this.heapBytes -= SLACK_BYTES;
    this.#shape = toHash(this.#shape, hash);
    // Objects do not share hidden classes for keys that are array indices.
    const known = this.#seenShapes.size;
    if (this.#seenShapes.add(this.#shape).size === known && !isIndex) return;
    this.values += VALUES_OF_SHAPE - 1;
    this.heapBytes += SHAPE_BYTES + STRING_BYTES + this.#string.bytes();
  }
}

/** Creates the meter of one text. */
export function createJsonMeter(): JsonMeter {
  return new TextMeter();
}
