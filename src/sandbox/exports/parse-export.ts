import { isJsonObject, type JsonObject } from '../json.ts';

/** Content of an exported file. `name` is absent if the file has none. */
export type Export = ExportedCollection | ExportedVariables;

/** A collection in Collection Format v2.0 or v2.1; its `item` is a list, everything else may be anything. */
export interface ExportedCollection {
  readonly kind: 'collection';
  readonly name?: string;
  readonly document: JsonObject;
}

/** An environment, or the globals of a workspace. */
export interface ExportedVariables {
  readonly kind: 'environment' | 'globals';
  readonly name?: string;
  readonly values: readonly unknown[];
}

/** Thrown for a file that cannot be served. The message gives the reason and how to fix it. */
export class NotAnExportError extends Error {
  override readonly name = 'NotAnExportError';
}

/**
 * Maximum nesting of objects and lists. Real exports stay below 30; `JSON.stringify` overflows the stack at a few
 * thousand.
 */
const maxDepth = 500;

const longestParserMessage = 150;

/**
 * Parses a file exported by Postman or saved from its API. The kind is taken from its shape, since `info.schema` is
 * often wrong.
 *
 * @throws {NotAnExportError}
 */
export function parseExport(bytes: Uint8Array): Export {
  const value = parseJson(decode(bytes));
  if (isDeeperThan(value, maxDepth)) {
    throw new NotAnExportError(`nested deeper than ${maxDepth} levels: export it again, or flatten its folders`);
  }
  if (isJsonObject(value)) {
    // Responses of the API wrap the object in an envelope.
    for (const candidate of [value, value.collection, value.environment]) {
      const found = isJsonObject(candidate) ? toExport(candidate) : undefined;
      if (found !== undefined) return found;
    }
  }
  throw new NotAnExportError(
    'no Postman collection, environment or globals: export it from Postman, collections as v2.1',
  );
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const hasUtf16Mark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // JSON begins with an ASCII character, so one of the first two bytes of UTF-16 is zero.
  if (hasUtf16Mark || (bytes.length > 1 && (first === 0) !== (second === 0))) {
    throw new NotAnExportError('UTF-16 text: save it as UTF-8');
  }
  try {
    // The decoder removes a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NotAnExportError('neither UTF-8 nor UTF-16 text: save it as UTF-8');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, longestParserMessage);
    const position = /at position (\d+)$/.exec(message)?.[1];
    const location = position === undefined ? '' : ` (${toLineAndColumn(text, Number(position))})`;
    throw new NotAnExportError(`not JSON: ${message}${location}`);
  }
}

function toLineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split('\n');
  return `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Not recursive: recursion would overflow the stack on the very files that this check rejects. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === levels) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function toExport(value: JsonObject): Export | undefined {
  const { info, item, values } = value;
  if (Array.isArray(item) && (isJsonObject(info) || item.some(isNode))) {
    return { kind: 'collection', ...toName(info), document: value };
  }
  if (isCollectionV1(value)) {
    throw new NotAnExportError('Collection Format v1: open it in Postman and export it as v2.1');
  }
  if (!Array.isArray(values)) return undefined;
  const scope = value._postman_variable_scope;
  if (scope === 'globals') return { kind: 'globals', ...toName(value), values };
  // Many files have a list called "values". A list of variables has keys, or the file says that it is an environment.
  const isEnvironment =
    scope === 'environment' ||
    (values.length === 0 ? typeof value.name === 'string' : values.some((row) => hasKey(row, 'key')));
  return isEnvironment ? { kind: 'environment', ...toName(value), values } : undefined;
}

function toName(value: unknown): { name?: string } {
  return isJsonObject(value) && typeof value.name === 'string' && value.name.trim() !== '' ? { name: value.name } : {};
}

function isNode(value: unknown): boolean {
  return hasKey(value, 'request') || hasKey(value, 'item');
}

/**
 * Files of other tools have `requests` too. Those of Postman also have `order`, or requests with `collectionId` or
 * `dataMode`.
 */
function isCollectionV1({ requests, order }: JsonObject): boolean {
  if (!Array.isArray(requests)) return false;
  return (
    Array.isArray(order) || requests.some((request) => hasKey(request, 'collectionId') || hasKey(request, 'dataMode'))
  );
}

function hasKey(value: unknown, key: string): boolean {
  return isJsonObject(value) && Object.hasOwn(value, key);
}
