import { inspect } from 'node:util';

const redacted = '[redacted]';

/** Holds one secret text (an API key, an access token) so that printing, logging or serialising its owner never shows it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Gives the text itself, for the one header or comparison that needs it. */
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
