import { toDescription } from '../syntax/description.ts';
import { isJsonObject, type JsonObject, MAX_JSON_DEPTH, toList, toText } from '../syntax/json.ts';
import { maskData } from '../masking/mask-body.ts';
import { isEnabled, parsePairs, toRows } from '../syntax/rows.ts';
import { shownText } from '../masking/shown-row.ts';

/** The body of a request, by its mode. */
export type RequestBody = RawBody | FormBody | FileBody | GraphQLBody;

/** Text sent as it is. */
export interface RawBody {
  readonly kind: 'raw';
  readonly raw: string;
  readonly language: string | null;
  readonly enabled: boolean;
}

/** A form; `formParameters` reads its rows. */
export interface FormBody {
  readonly kind: 'urlencoded' | 'formdata';
  readonly rows: unknown;
  readonly enabled: boolean;
}

/** A file, or its content, as the whole body. */
export interface FileBody {
  readonly kind: 'file';
  readonly src: string | null;
  readonly content: string | null;
  readonly enabled: boolean;
}

/** A GraphQL operation. */
export interface GraphQLBody {
  readonly kind: 'graphql';
  readonly query: string;
  readonly operationName: string | null;
  /** JSON text. */
  readonly variables: string | null;
  readonly enabled: boolean;
}

/** One row of a form. */
export interface FormParameter {
  readonly key: string | null;
  readonly value: string | null;
  /** The value, or a part of it, was masked. */
  readonly isMasked: boolean;
  /** Names of the files in a row of files; null for a row of text. */
  readonly src: readonly string[] | null;
  readonly contentType: string | null;
  readonly enabled: boolean;
  readonly description: string | null;
}

const MODES = ['raw', 'urlencoded', 'formdata', 'file', 'graphql'] as const;

/**
 * Reads the body of a request.
 *
 * @param revealSecrets - Whether credentials are shown in clear.
 * @returns null where there is no body, also for an object with neither a mode nor data. An unknown mode is read as
 *   raw; a mode without data gives an empty body of that mode.
 */
export function toBody(json: unknown, revealSecrets = false): RequestBody | null {
  if (typeof json === 'string') return { kind: 'raw', raw: json, language: null, enabled: true };
  if (!isJsonObject(json)) return null;
  const mode = toMode(json);
  const enabled = isEnabled(json);
  switch (mode) {
    case null:
      return null;
    case 'raw':
      return {
        kind: mode,
        raw: toDataText(json.raw, revealSecrets) ?? '',
        language: toRawLanguage(json.options),
        enabled,
      };
    case 'file':
      return { kind: mode, ...toFile(json.file, revealSecrets), enabled };
    case 'graphql':
      return { kind: mode, ...toGraphQL(json.graphql, revealSecrets), enabled };
    default:
      return { kind: mode, rows: json[mode], enabled };
  }
}

/**
 * Reads the rows of a form, which are a list, text such as `a=1&b=2`, or an object that maps keys to values.
 * Credentials are replaced by `MASKED_TEXT` unless they are revealed.
 */
export function formParameters(body: FormBody, revealSecrets = false): FormParameter[] {
  return toRows(body.rows, parsePairs).map((row) => ({
    key: toText(row.key),
    ...shownText(row, revealSecrets),
    src: toSources(row),
    contentType: toText(row.contentType),
    enabled: isEnabled(row),
    description: toDescription(row.description),
  }));
}

function toMode(json: JsonObject): (typeof MODES)[number] | null {
  const known = MODES.find((mode) => mode === json.mode);
  if (known !== undefined) return known;
  const present = MODES.find((mode) => json[mode] != null);
  if (present !== undefined) return present;
  return typeof json.mode === 'string' && json.mode !== '' && json.mode !== 'none' ? 'raw' : null;
}

function toRawLanguage(options: unknown): string | null {
  const raw = isJsonObject(options) ? options.raw : undefined;
  return isJsonObject(raw) ? toText(raw.language) : null;
}

/** Converts data to text. Text stays unchanged; credentials in a list or object are masked unless they are revealed. */
export function toDataText(json: unknown, revealSecrets: boolean): string | null {
  const text = toText(json);
  return text === null || typeof json !== 'object' || revealSecrets ? text : toText(maskData(json, MAX_JSON_DEPTH));
}

function toFile(file: unknown, revealSecrets: boolean): { src: string | null; content: string | null } {
  if (!isJsonObject(file)) return { src: typeof file === 'string' ? file : null, content: null };
  return {
    src: toText(Array.isArray(file.src) ? file.src[0] : file.src),
    content: toDataText(file.content, revealSecrets),
  };
}

function toGraphQL(
  graphql: unknown,
  revealSecrets: boolean,
): { query: string; operationName: string | null; variables: string | null } {
  if (!isJsonObject(graphql))
    return { query: typeof graphql === 'string' ? graphql : '', operationName: null, variables: null };
  return {
    query: toDataText(graphql.query, revealSecrets) ?? '',
    operationName: toDataText(graphql.operationName, revealSecrets),
    variables: toDataText(graphql.variables, revealSecrets),
  };
}

function toSources(row: JsonObject): string[] | null {
  if (row.src == null) return row.type === 'file' ? [] : null;
  return toList(Array.isArray(row.src) ? row.src : [row.src]).flatMap((src) => toText(src) ?? []);
}
