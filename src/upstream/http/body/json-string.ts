const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
// UTF-8: bytes that continue a character, and from here on those that begin one beyond Latin-1.
const FIRST_CONTINUATION = 0x80;
const AFTER_CONTINUATION = 0xc0;
const FIRST_WIDE = 0xc4;

/** Reads the strings of a JSON text, one after the other, while it arrives. */
export class JsonStringReader {
  /** Of a key: the same for the same keys. */
  hash: number;
  /** Of a key: whether it is a number, as far as can be seen. */
  isIndex = false;
  /** Of a key: whether it has characters that are written as their numbers, so that the hash is that of another key. */
  hasNumbers = false;
  readonly #emptyHash: number;
  #isKey = false;
  #isEscaped = false;
  // Hexadecimal digits of an escaped character that are still to come.
  #digitsLeft = 0;
  #characters = 0;
  // One character beyond Latin-1 makes all of its string two bytes wide.
  #isWide = false;

  /** @param emptyHash - That of a key without characters. */
  constructor(emptyHash: number) {
    this.#emptyHash = emptyHash;
    this.hash = emptyHash;
  }

  /** A string begins after the byte that was read last. */
  begin(isKey: boolean): void {
    this.#isKey = isKey;
    this.#characters = 0;
    this.#isWide = false;
    this.hash = this.#emptyHash;
    this.isIndex = false;
    this.hasNumbers = false;
  }

  /** Bytes on V8's heap of what has been read of the string. */
  bytes(): number {
    const bytes = this.#isWide ? this.#characters * 2 : this.#characters;
    return bytes + ((8 - (bytes % 8)) % 8);
  }

  /**
   * Reads on in the string.
   *
   * @returns The place of the quote that ends it; the length of the chunk where that is still to come.
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
      if (this.#isEnd(byte)) return index;
      if (isKey) {
        this.hash = toHash(this.hash, byte);
        // Other escapes are none of the characters that matter, wherever the text is cut.
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
    for (let read = start; read < end; read++) hash = toHash(hash, chunk[read] as number);
    this.hash = hash;
  }

  /** Looks at a byte that may mean more than itself. Returns whether the string ends with it. */
  #isEnd(byte: number): boolean {
    if (this.#digitsLeft > 0) {
      // The first two of four say whether it is beyond Latin-1.
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
export function toHash(hash: number, value: number): number {
  return (Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15)) >>> 2;
}
