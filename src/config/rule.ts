import { z } from 'zod';
import { Secret } from '../upstream/http/secret.ts';
import { cleanSecret, faultOfSecret } from './secret-text.ts';

/** How one environment variable is checked, documented and named in messages. */
export interface Rule {
  /** The default, as text; absent if there is none. */
  readonly default?: string;
  readonly unit?: string;
  /** One line for the documentation. */
  readonly description: string;
  /** Ends the sentence "allowed: …". */
  readonly allowed: string;
  /** The value must not be shown. */
  readonly isSecret?: true;
  /** The default is a fraction of the heap limit of the process, so it has no text. */
  readonly isDerived?: true;
  /** Parses the text; its input is undefined if there is neither a value nor a default. */
  readonly schema: z.ZodType;
}

/** An hour in milliseconds. */
export const HOUR_MS = 3_600_000;
/** A day in milliseconds. */
export const DAY_MS = 24 * HOUR_MS;
/** 1 MiB in bytes. */
export const MEBIBYTE = 1_048_576;

/** Rule of a secret, which is one line. */
export const secret = {
  isSecret: true as const,
  allowed: 'visible ASCII without spaces, at most 256 characters',
};

/** Rule of the path of a secret's file. The path is not shown either: by mistake it may be the secret itself. */
export const secretFile = {
  isSecret: true as const,
  allowed: 'the path of a file with one line',
  schema: z.string().optional(),
};

/** Rule of a boolean. */
export const flag = {
  allowed: 'true or false (also on, off, yes, no, 1, 0)',
  schema: z.stringbool({ truthy: ['true', 'on', 'yes', '1'], falsy: ['false', 'off', 'no', '0'] }),
};

const bytes = whole(1, 16_384 * MEBIBYTE, 'bytes');
/** Rule of a number of bytes that is a fraction of the heap limit by default. */
export const heapBytes = { ...bytes, schema: bytes.schema.optional(), isDerived: true as const };

/** Makes the schema of a text that `read` parses. `read` returns undefined for an invalid text. */
export function text<T>(read: (text: string) => T | undefined) {
  return z.string().transform((given, context) => {
    const value = read(given);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', input: given });
    return z.NEVER;
  });
}

/** Makes the schema of a secret. `faultOf` returns why a text cannot be one, or undefined. */
export function secretText(faultOf: (text: string) => string | undefined) {
  return z.string().transform((given, context) => {
    const message = faultOf(given);
    if (message === undefined) return new Secret(given);
    context.addIssue({ code: 'custom', message, input: given });
    return z.NEVER;
  });
}

/** Makes the schema of a comma-separated list of at most `max` secrets. */
export function secretList(max: number) {
  return separated((item) => cleanSecret(item).text)
    .pipe(z.array(secretText(faultOfSecret)).min(1, 'it is blank').max(max, `it is more than ${max} secrets`))
    .default([]);
}

/** Makes the schema of a comma-separated list. `readItem` parses an item, and returns undefined for an invalid one. */
export function list(readItem: (item: string) => string | undefined) {
  return separated((item) => item.trim())
    .pipe(z.array(text(readItem)))
    .default([]);
}

/** Makes the rule of a whole number. */
export function whole(min: number, max: number, unit?: 'bytes' | 'calls' | 'ms' | 'values') {
  const read = (given: string) => (/^\d{1,15}$/.test(given) ? Number(given) : Number.NaN);
  return {
    allowed: `a whole number from ${min} to ${max}`,
    ...(unit && { unit }),
    schema: text((given) => (read(given) >= min && read(given) <= max ? read(given) : undefined)),
  };
}

function separated(clean: (item: string) => string) {
  return z.string().transform((given) =>
    given
      .split(',')
      .map(clean)
      .filter((item) => item !== ''),
  );
}
