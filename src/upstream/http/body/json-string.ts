const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
// UTF-8: continuation bytes lie between the first two; from the third on, a byte starts a character beyond Latin-1.
const FIRST_CONTINUATION = 0x80;
const AFTER_CONTINUATION = 0xc0;
const FIRST_WIDE = 0xc4;

// For each byte, whether it is a character by itself: ASCII that neither ends a string nor begins an escape.
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte < FIRST_CONTINUATION && byte !== QUOTE && byte !== BACKSLASH),
);

/** Measures the strings of a JSON text, one after the other, while the text arrives in chunks. */
export class JsonStringReader {
  /** Keys only: equal for keys that are written alike. */
  hash: number;
  /** Keys only: it may be an array index, because it starts with a digit or contains a `\u` escape. */
  isIndex = false;
  /** Keys only: it contains `\u` escapes, so its hash is not that of the unescaped key. */
  hasNumbers = false;
  readonly #emptyHash: number;
  #isKey = false;
  #isEscaped = false;
  // Hexadecimal digits of a \u escape that are still to come.
  #digitsLeft = 0;
  #characters = 0;
  // V8 stores a string with any character beyond Latin-1 in two bytes per character.
  #isWide = false;

  /** @param emptyHash - The hash of an empty key. */
  constructor(emptyHash: number) {
    this.#emptyHash = emptyHash;
    this.hash = emptyHash;
  }

  /** Starts a new string, after its opening quote. */
  begin(isKey: boolean): void {
    this.#isKey = isKey;
    this.#characters = 0;
    this.#isWide = false;
    this.hash = this.#emptyHash;
    this.isIndex = false;
    this.hasNumbers = false;
  }

  /** Bytes that the characters read so far take on V8's heap. */
  bytes(): number {
    const bytes = this.#isWide ? this.#characters * 2 : this.#characters;
    return bytes + ((8 - (bytes % 8)) % 8);
  }

  /**
   * Continues the string in a chunk, from index `from` on.
   *
   * @returns The index of its closing quote; the length of the chunk if the string goes on in the next one.
   */
  read(chunk: Uint8Array, from: number): number {
    const { length } = chunk;
    const isKey = this.#isKey;
    let index = from;
    for (;;) {
      const start = index;
      if (this.#digitsLeft === 0 && !this.#isEscaped) index = skipPlain(chunk, index);
      if (isKey) this.#readKey(chunk, start, index);
      this.#characters += index - start;
      if (index === length) return length;
      const byte = chunk[index] as number;
      if (this.#readSpecial(byte)) return index;
      if (isKey) {
        this.hash = toHash(this.hash, byte);
        // Only a \u escape can stand for a digit or a letter, and so hide an array index or a known key.
        this.hasNumbers ||= this.#digitsLeft > 0;
        this.isIndex ||= this.#digitsLeft > 0;
      }
      index++;
    }
  }

  #readKey(chunk: Uint8Array, start: number, end: number): void {
    const first = chunk[start] as number;
    if (this.#characters === 0 && end > start) this.isIndex = first >= ZERO && first <= NINE;
    let { hash } = this;
    for (let index = start; index < end; index++) hash = toHash(hash, chunk[index] as number);
    this.hash = hash;
  }

  /** Processes a byte of an escape or beyond ASCII, or the closing quote. Returns whether it is that quote. */
  #readSpecial(byte: number): boolean {
    if (this.#digitsLeft > 0) {
      // The first two of the four digits are 00 for a Latin-1 character.
      if (this.#digitsLeft > 2 && byte !== ZERO) this.#isWide = true;
      this.#digitsLeft--;
    } else if (this.#isEscaped) {
      this.#isEscaped = false;
      if (byte === LOWER_U) this.#digitsLeft = 4;
    } else if (byte === QUOTE) return true;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte >= FIRST_WIDE) this.#isWide = true;
    else if (byte >= FIRST_CONTINUATION && byte < AFTER_CONTINUATION) this.#characters--;
    this.#characters++;
    return false;
  }
}

/** Returns the index of the first byte that is neither plain ASCII nor part of a complete two-character escape. */
function skipPlain(chunk: Uint8Array, from: number): number {
  const { length } = chunk;
  let index = from;
  for (;;) {
    while (index < length && IS_PLAIN[chunk[index] as number] === 1) index++;
    if (index + 1 >= length || chunk[index] !== BACKSLASH || chunk[index + 1] === LOWER_U) return index;
    index += 2;
  }
}

/** Adds a number to a hash. Both have at most 30 bits, which V8 stores without allocating. */
export function toHash(hash: number, value: number): number {
  return (Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15)) >>> 2;
}
