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
 * Creates the meter of one text.
 *
 * It counts the size on the heap, not that of the text: `[]` takes 28 times as much on the heap as in the text. It only
 * recognises where values begin and end, which is right for valid JSON; `JSON.parse` rejects anything else.
 */
export function createJsonMeter(): JsonMeter {
  let values = 0;
  let heapBytes = 0;
  let position: Position = 'between';
  let isKeyNext = false;
  // Whether the last key is, or may be, one of ITEM_KEYS.
  let mayBeItemKey = false;
  const string = new JsonStringReader(SEED);
  // The innermost open container, and the hash of its keys so far: V8 creates one hidden class per sequence of keys.
  let container: Container = ARRAY;
  let shape = SEED;
  // The containers around it, as two numbers each: objects would take more memory than what is measured.
  const outerContainers: number[] = [];
  const seenShapes = new Set<number>();

  const addValue = (bytes: number) => {
    values++;
    heapBytes += SLOT_BYTES + bytes;
  };

  const open = (opened: Container) => {
    outerContainers.push(container, shape);
    container = opened;
    shape = SEED;
    isKeyNext = opened === OBJECT;
    position = 'between';
  };

  const endKey = () => {
    const { hash, isIndex, hasNumbers } = string;
    isKeyNext = false;
    mayBeItemKey = hasNumbers || ITEM_KEYS.has(hash);
    if (shape === SEED) heapBytes -= SLACK_BYTES;
    shape = toHash(shape, hash);
    // Objects do not share hidden classes for keys that are array indices.
    if (seenShapes.has(shape) && !isIndex) return;
    seenShapes.add(shape);
    values += VALUES_OF_SHAPE - 1;
    heapBytes += SHAPE_BYTES + STRING_BYTES + string.bytes();
  };

  /** Processes a byte outside strings. */
  const readBetween = (byte: number) => {
    switch (byte) {
      case QUOTE:
        position = isKeyNext ? 'key' : 'string';
        string.begin(isKeyNext);
        if (!isKeyNext) addValue(0);
        break;
      case COMMA:
        position = 'between';
        isKeyNext = container === OBJECT;
        break;
      case OPEN_BRACE:
        if (container === ITEMS) values += VALUES_OF_ITEM - 1;
        addValue(OBJECT_BYTES + SLACK_BYTES + (container === ITEMS ? ITEM_BYTES : 0));
        open(OBJECT);
        break;
      case OPEN_BRACKET:
        addValue(ARRAY_BYTES);
        open(container === OBJECT && mayBeItemKey ? ITEMS : ARRAY);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        position = 'between';
        shape = outerContainers.pop() ?? SEED;
        container = (outerContainers.pop() ?? ARRAY) as Container;
        break;
      default:
        if (byte <= SPACE || byte === COLON) position = 'between';
        else if (position !== 'scalar') {
          position = 'scalar';
          addValue(NUMBER_BYTES);
        }
    }
  };

  return {
    get values() {
      return values;
    },
    get heapBytes() {
      return heapBytes;
    },
    add(chunk) {
      for (let index = 0; index < chunk.length; index++) {
        if (position === 'between' || position === 'scalar') readBetween(chunk[index] as number);
        else {
          index = string.read(chunk, index);
          if (index === chunk.length) return;
          if (position === 'key') endKey();
          else heapBytes += STRING_BYTES + string.bytes();
          position = 'between';
        }
      }
    },
  };
}
