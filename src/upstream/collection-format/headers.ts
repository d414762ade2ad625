import { toDescription } from './description.ts';
import { type JsonObject, toName, toText } from './json.ts';
import { isEnabled, toRows } from './rows.ts';
import { isCredentialName, isSecretValue, MASKED_TEXT } from './secrets.ts';

/** One header line. */
export interface Header {
  /** Empty where upstream has none. */
  readonly key: string;
  /** Credentials in clear. */
  readonly value: string | null;
  readonly enabled: boolean;
  readonly description: string | null;
}

/**
 * Reads the headers of a request or response.
 *
 * @param json - A list of objects and lines, a block of lines, or an object that maps names to values; everything else holds none.
 */
export function toHeaders(json: unknown): Header[] {
  return toRows(json, parseHeaderBlock).map((row) => ({
    key: headerName(row),
    value: toHeaderValue(row.value),
    enabled: isEnabled(row),
    description: toDescription(row.description),
  }));
}

/** Gives the name of a header, which stands under `key`, or `name` where it has no key; empty where it has neither. */
export function headerName(row: JsonObject): string {
  return toName(row.key) || toName(row.name) || '';
}

/** Gives the value of a header as it may be shown: credentials read `MASKED_TEXT` unless they are revealed. */
export function shownHeaderValue({ key, value }: Header, revealSecrets: boolean): string | null {
  return !revealSecrets && isCredentialName(key) && isSecretValue(value) ? MASKED_TEXT : value;
}

/** Splits a block of headers into its lines. An indented line without a colon goes on with the line before it, as it does in HTTP. */
export function headerLines(block: string): string[] {
  const lines: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    if (/^[ \t]/.test(line) && !line.includes(':') && lines.length > 0) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}

/** Reads `Name: value` lines. A name that begins with `//` is a header switched off; lines without a name are left out. */
function parseHeaderBlock(block: string): JsonObject[] {
  return headerLines(block).flatMap((line) => {
    const disabled = line.trimStart().startsWith('//');
    const text = disabled ? line.trim().slice(2) : line;
    const colon = text.indexOf(':');
    const key = (colon === -1 ? text : text.slice(0, colon)).trim();
    return key === '' ? [] : [{ key, value: colon === -1 ? '' : text.slice(colon + 1).trim(), disabled }];
  });
}

function toHeaderValue(value: unknown): string | null {
  return Array.isArray(value) ? value.map((part) => toText(part) ?? '').join(', ') : toText(value);
}
