import { randomInt } from 'node:crypto';

/** Weighs a JSON text while it arrives, before anything of it is parsed. */
export interface JsonScale {
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

// Sizes on the heap of 64-bit V8 without compressed pointers, as measured by test/unit/json-weight.test.ts.
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
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
// UTF-8: bytes that continue a character, and from here on those that begin one beyond Latin-1.
const FIRST_CONTINUATION = 0x80;
const AFTER_CONTINUATION = 0xc0;
const FIRST_WIDE = 0xc4;

// Drawn at random, so that nobody can make up keys that are taken for each other.
const SEED = randomInt(1, 2 ** 30);
/** The keys whose lists are read item by item. */
const ITEM_KEYS: ReadonlySet<number> = new Set(
  ['item', 'workspaces', 'collections', 'environments'].map((key) => Buffer.from(key).reduce(toHash, SEED)),
);

type Place = 'between' | 'scalar' | 'string' | 'key';

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
export function createJsonScale(): JsonScale {
  let values = 0;
  let heapBytes = 0;
  let place: Place = 'between';
  let isKeyNext = false;
  let isEscaped = false;
  // Hexadecimal digits of an escaped character that are still to come.
  let digitsLeft = 0;
  // Of the string that is being read, or was last. One character beyond Latin-1 makes all of its string two bytes wide.
  let characters = 0;
  let isWide = false;
  let keyHash = SEED;
  let isIndexKey = false;
  let mayBeItemKey = false;
  // The container that is open, and the hash of the keys that it has had: V8 describes each different row of keys once.
  let container: Container = ARRAY;
  let shape = SEED;
  // Those around it, two numbers each: objects would weigh more than what is weighed.
  const around: number[] = [];
  const seenShapes = new Set<number>();

  const addValue = (bytes: number) => {
    values++;
    heapBytes += SLOT_BYTES + bytes;
  };

  const addText = () => {
    const bytes = isWide ? characters * 2 : characters;
    heapBytes += STRING_BYTES + bytes + ((8 - (bytes % 8)) % 8);
  };

  const open = (opened: Container) => {
    around.push(container, shape);
    container = opened;
    shape = SEED;
    isKeyNext = opened === OBJECT;
    place = 'between';
  };

  const beginString = () => {
    place = isKeyNext ? 'key' : 'string';
    characters = 0;
    isWide = false;
    keyHash = SEED;
    isIndexKey = false;
    mayBeItemKey = false;
    if (place === 'string') addValue(0);
  };

  const endKey = () => {
    isKeyNext = false;
    mayBeItemKey ||= ITEM_KEYS.has(keyHash);
    if (shape === SEED) heapBytes -= SLACK_BYTES;
    shape = toHash(shape, keyHash);
    // Of keys that are numbers each object has a table of its own.
    if (seenShapes.has(shape) && !isIndexKey) return;
    seenShapes.add(shape);
    values += VALUES_OF_SHAPE - 1;
    heapBytes += SHAPE_BYTES;
    addText();
  };

  /** Looks at a byte inside a string that may mean more than itself. Returns whether the string ends with it. */
  const isEnd = (byte: number): boolean => {
    if (digitsLeft > 0) {
      // The first two of four say whether it is beyond Latin-1.
      if (digitsLeft > 2 && byte !== ZERO) isWide = true;
      digitsLeft--;
    } else if (isEscaped) {
      isEscaped = false;
      if (byte === LOWER_U) digitsLeft = 4;
    } else if (byte === QUOTE) return true;
    else if (byte === BACKSLASH) isEscaped = true;
    else if (byte >= FIRST_WIDE) isWide = true;
    else if (byte >= FIRST_CONTINUATION && byte < AFTER_CONTINUATION) characters--;
    characters++;
    return false;
  };

  /** Reads on inside a string. Returns the place of its end, or that after the chunk. */
  const readString = (chunk: Uint8Array, from: number): number => {
    const { length } = chunk;
    const isKey = place === 'key';
    let index = from;
    for (;;) {
      const start = index;
      if (digitsLeft === 0 && !isEscaped) index = skipPlain(chunk, index);
      if (isKey) {
        const first = chunk[start] as number;
        if (characters === 0 && index > start) isIndexKey = first >= ZERO && first <= NINE;
        for (let read = start; read < index; read++) keyHash = toHash(keyHash, chunk[read] as number);
      }
      characters += index - start;
      if (index === length) return length;
      const byte = chunk[index] as number;
      if (isEnd(byte)) {
        if (isKey) endKey();
        else addText();
        place = 'between';
        return index;
      }
      if (isKey) {
        keyHash = toHash(keyHash, byte);
        // Its characters can be written as their numbers. Other escapes are none of these, wherever the text is cut.
        mayBeItemKey ||= digitsLeft > 0;
        isIndexKey ||= digitsLeft > 0;
      }
      index++;
    }
  };

  /** Looks at a byte outside strings. */
  const readBetween = (byte: number) => {
    switch (byte) {
      case QUOTE:
        beginString();
        break;
      case COMMA:
        place = 'between';
        isKeyNext = container === OBJECT;
        break;
      case COLON:
        break;
      case OPEN_BRACE:
        addValue(OBJECT_BYTES + SLACK_BYTES);
        if (container === ITEMS) {
          values += VALUES_OF_ITEM - 1;
          heapBytes += ITEM_BYTES;
        }
        open(OBJECT);
        break;
      case OPEN_BRACKET:
        addValue(ARRAY_BYTES);
        open(container === OBJECT && mayBeItemKey ? ITEMS : ARRAY);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        place = 'between';
        shape = around.pop() ?? SEED;
        container = (around.pop() ?? ARRAY) as Container;
        break;
      default:
        if (byte <= SPACE) place = 'between';
        else if (place !== 'scalar') {
          place = 'scalar';
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
        if (place === 'string' || place === 'key') index = readString(chunk, index);
        else readBetween(chunk[index] as number);
      }
    },
  };
}

/** Where the first byte stands that can mean more than itself, and is no escape of one character either. */
function skipPlain(chunk: Uint8Array, from: number): number {
  const { length } = chunk;
  let index = from;
  while (index < length) {
    const byte = chunk[index] as number;
    if (byte < FIRST_CONTINUATION && byte !== QUOTE && byte !== BACKSLASH) index++;
    else if (byte === BACKSLASH && index + 1 < length && chunk[index + 1] !== LOWER_U) index += 2;
    else break;
  }
  return index;
}

/** Takes one more number into a hash; both have at most 30 bits, which V8 keeps without an object. */
function toHash(hash: number, value: number): number {
  return (Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15)) >>> 2;
}
