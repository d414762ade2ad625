import { toDescription } from '../syntax/description.ts';
import { headerLines } from '../syntax/header-lines.ts';
import { type JsonObject, toText } from '../syntax/json.ts';
import { rowName } from '../masking/mask-rows.ts';
import { isEnabled, toRows } from '../syntax/rows.ts';
import { maskedValueOf } from '../masking/shown-row.ts';

/** One header line. */
export interface Header {
  /** Empty where Postman sends none. */
  readonly key: string;
  /** `MASKED_TEXT` for a credential, unless it is revealed. */
  readonly value: string | null;
  readonly enabled: boolean;
  readonly description: string | null;
}

/**
 * Reads the headers of a request or response.
 *
 * @param json - A list of objects and lines, a block of lines, or an object that maps names to values; anything else
 *   has no headers.
 * @param revealSecrets - Whether credentials are shown in clear.
 */
export function toHeaders(json: unknown, revealSecrets = false): Header[] {
  return toRows(json, parseHeaderBlock).map((row) => ({
    key: rowName(row),
    value: toHeaderValue(revealSecrets ? row.value : maskedValueOf(row)),
    enabled: isEnabled(row),
    description: toDescription(row.description),
  }));
}

/** Parses lines such as `Name: value`. A leading `//` marks a disabled header; lines without a name are left out. */
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
