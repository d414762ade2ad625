import { randomInt } from 'node:crypto';
import { JsonStringReader, toHash } from './json-string.ts';
import { leveledTypes } from '../../postman/levels.ts';

/** Weighs a JSON text while it arrives, before anything of it is parsed. */
export interface JsonMeter {
  /** Looks at the next bytes of the text, UTF-8. */
  add(chunk: Uint8Array): void;
  /**
   * How much work it is to parse and read the text: the number of its values. A row of keys that V8 has to describe anew takes as long as ten
   * values, and an item of a tree or a list as long as six: they count for as many.
   */
  readonly values: number;
  /** Bytes on V8's heap of what is made of it: parsed, with the index of a collection's tree, or with the models of a list. The text itself is not in it. */
  readonly heapBytes: number;
}

// Sizes on the heap of 64-bit V8 without compressed pointers, as measured by test/unit/http/json-weight.test.ts.
const SLOT_BYTES = 8;
const OBJECT_BYTES = 24;
// Room for members that may still come: `{}` has it, an object with members does not.
const SLACK_BYTES = 32;
const ARRAY_BYTES = 48;
const NUMBER_BYTES = 16;
const STRING_BYTES = 16;
// A hidden class with its part of the list of members; or an entry of an object that has become a hash table.
const SHAPE_BYTES = 144;
// What is made of an item of a tree, for its index, or of an item of a list: an object with an id, and with moments.
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

// Drawn at random, so that nobody can make up keys that are taken for each other.
const SEED = randomInt(1, 2 ** 30);
/** The keys whose lists are read item by item. */
const ITEM_KEYS: ReadonlySet<number> = new Set(
  ['item', ...Object.values(leveledTypes).map(({ list }) => list)].map((key) => Buffer.from(key).reduce(toHash, SEED)),
);

type Position = 'between' | 'scalar' | 'string' | 'key';

const OBJECT = 0;
const ARRAY = 1;
const ITEMS = 2;
type Container = typeof OBJECT | typeof ARRAY | typeof ITEMS;

/**
 * Makes a scale for one text.
 *
 * It counts what the heap will hold, not what the text has: `[` and `]` are 28 times as large on the heap as they are written. It knows no more of
 * JSON than where values begin and end, and is right for as long as the text is valid: of what follows `JSON.parse` makes nothing.
 */
export function createJsonMeter(): JsonMeter {
  let values = 0;
  let heapBytes = 0;
  let position: Position = 'between';
  let isKeyNext = false;
  // Whether the last key is, or may be, one whose list is read item by item.
  let mayBeItemKey = false;
  const text = new JsonStringReader(SEED);
  // The container that is open, and the hash of the keys that it has had: V8 describes each different row of keys once.
  let container: Container = ARRAY;
  let shape = SEED;
  // Those around it, two numbers each: objects would weigh more than what is weighed.
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
    const { hash, isIndex, hasNumbers } = text;
    isKeyNext = false;
    mayBeItemKey = hasNumbers || ITEM_KEYS.has(hash);
    if (shape === SEED) heapBytes -= SLACK_BYTES;
    shape = toHash(shape, hash);
    // Of keys that are numbers each object has a table of its own.
    if (seenShapes.has(shape) && !isIndex) return;
    seenShapes.add(shape);
    values += VALUES_OF_SHAPE - 1;
    heapBytes += SHAPE_BYTES + STRING_BYTES + text.bytes();
  };

  /** Looks at a byte outside strings. */
  const readBetween = (byte: number) => {
    switch (byte) {
      case QUOTE:
        position = isKeyNext ? 'key' : 'string';
        text.begin(isKeyNext);
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
          index = text.read(chunk, index);
          if (index === chunk.length) return;
          if (position === 'key') endKey();
          else heapBytes += STRING_BYTES + text.bytes();
          position = 'between';
        }
      }
    },
  };
}
