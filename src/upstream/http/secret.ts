import { inspect } from 'node:util';

const redacted = '[redacted]';

/** Wraps a secret string (an API key, an access token), so that printing, logging or serialising it never shows it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Returns the secret itself, which must not be shown or logged. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
