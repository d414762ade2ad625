import { toDescription } from '../syntax/description.ts';
import { isJsonObject, type JsonObject, toList, toText } from '../syntax/json.ts';
import { toDataText } from './body.ts';
import { maskHost } from '../masking/mask-url.ts';
import { maskPairs, maskUrlText } from '../masking/mask-url-text.ts';
import { isEnabled, parsePairs, toRows } from '../syntax/rows.ts';
import { shownText } from '../masking/shown-row.ts';
import { parseUrlText, splitHost, splitPath, type UrlParts } from '../syntax/url-text.ts';
import { type Variable, variablesOf } from './variables.ts';

/** A URL as Postman sent it; the functions of this file read its parts one by one. */
export class Url {
  readonly json: JsonObject | string;
  /** Whether credentials in it are shown in clear. */
  readonly revealSecrets: boolean;
  #parts: UrlParts | null | undefined;
  #raw: string | undefined;

  constructor(json: JsonObject | string, revealSecrets: boolean) {
    this.json = json;
    this.revealSecrets = revealSecrets;
  }

  /** The parts of a URL that came as text, parsed on first use; null where Postman sent the parts itself. */
  get parts(): UrlParts | null {
    if (this.#parts === undefined) this.#parts = partsOfText(this.json);
    return this.#parts;
  }

  /** See `urlRaw`. */
  get raw(): string {
    this.#raw ??= toRaw(this);
    return this.#raw;
  }
}

/** One query parameter. */
export interface QueryParam {
  readonly key: string | null;
  /** null: written without `=`. */
  readonly value: string | null;
  /** The value, or a part of it, was masked. */
  readonly isMasked: boolean;
  readonly enabled: boolean;
  readonly description: string | null;
}

/** Reads a URL, which is text or an object of parts; null for anything else. Credentials are masked unless revealed. */
export function toUrl(json: unknown, revealSecrets = false): Url | null {
  return isUrlJson(json) ? new Url(json, revealSecrets) : null;
}

/** Whether a value is a URL: text, or an object of parts. */
export function isUrlJson(json: unknown): json is JsonObject | string {
  return typeof json === 'string' || isJsonObject(json);
}

/** Returns the URL as the text that Postman sent, or else assembled from its parts. Masked unless revealed. */
export function urlRaw(url: Url): string {
  return url.raw;
}

function toRaw(url: Url): string {
  const raw = typeof url.json === 'string' ? url.json : url.json.raw;
  if (typeof raw === 'string') return url.revealSecrets ? raw : maskUrlText(raw);
  const protocol = urlProtocol(url);
  const port = urlPort(url);
  const path = urlPath(url);
  const hash = urlHash(url);
  return [
    protocol === null ? '' : `${protocol}://`,
    urlHost(url).join('.'),
    port === null ? '' : `:${port}`,
    path.length === 0 ? '' : `/${path.join('/')}`,
    toQueryText(urlQuery(url)),
    hash === null ? '' : `#${hash}`,
  ].join('');
}

/** Returns the protocol without `://`; null where the URL has none. */
export function urlProtocol({ json, parts }: Url): string | null {
  return parts?.protocol ?? (typeof json === 'string' ? null : toText(json.protocol) || null);
}

/** Returns the host, split at its dots. */
export function urlHost({ json, revealSecrets, parts }: Url): readonly string[] {
  if (parts !== null || typeof json === 'string') return parts?.host ?? [];
  const host = revealSecrets ? json.host : maskHost(json.host);
  return typeof host === 'string' ? splitHost(host) : toTexts(host);
}

/** Returns the port; null where the URL has none. */
export function urlPort({ json, parts }: Url): string | null {
  return parts?.port ?? (typeof json === 'string' ? null : toText(json.port) || null);
}

/** Returns the segments of the path, including empty ones. */
export function urlPath({ json, parts }: Url): readonly string[] {
  if (parts !== null || typeof json === 'string') return parts?.path ?? [];
  return typeof json.path === 'string' ? splitPath(json.path) : toTexts(json.path);
}

/** Returns the query parameters in order, including disabled ones. */
export function urlQuery({ json, revealSecrets, parts }: Url): QueryParam[] {
  const rows = isJsonObject(json) && json.query != null ? toRows(json.query, parsePairs) : parts?.query;
  return (rows ?? []).map((row) => {
    const { value, isMasked } = shownText(row, revealSecrets);
    return {
      key: toText(row.key),
      value: value === null && row.equals === true ? '' : value,
      isMasked,
      enabled: isEnabled(row),
      description: toDescription(row.description),
    };
  });
}

/** Returns the path variables: those that Postman lists, else the `:names` in the path of a URL that came as text. */
export function urlVariables({ json, parts }: Url): Variable[] {
  const listed = typeof json === 'string' ? [] : variablesOf(json);
  if (listed.length > 0) return listed;
  return (parts?.path ?? [])
    .filter((segment) => segment.startsWith(':') && segment.length > 1)
    .map((segment) => ({
      key: segment.slice(1),
      value: null,
      type: null,
      enabled: true,
      isSecret: false,
      description: null,
    }));
}

/** Returns the part after `#`; null where the URL has none. */
export function urlHash({ json, revealSecrets, parts }: Url): string | null {
  const hash = parts?.hash ?? (typeof json === 'string' ? null : toDataText(json.hash, revealSecrets));
  return hash === null || revealSecrets ? hash : maskPairs(hash);
}

/** Parses a URL that came as text, or as an object with `raw` but no parts; null where Postman sent the parts. */
function partsOfText(json: JsonObject | string): UrlParts | null {
  if (typeof json === 'string') return parseUrlText(json);
  return json.host == null && json.path == null && typeof json.raw === 'string' ? parseUrlText(json.raw) : null;
}

/** Reads the labels of a host or the segments of a path, which are text or `{ type, value }`. */
function toTexts(list: unknown): readonly string[] {
  const parts = toList(list);
  if (parts.every((part) => typeof part === 'string')) return parts;
  return parts.flatMap((part) => toText(isJsonObject(part) ? part.value : part) ?? []);
}

function toQueryText(query: readonly QueryParam[]): string {
  const enabled = query.filter((param) => param.enabled);
  if (enabled.length === 0) return '';
  return `?${enabled.map(({ key, value }) => (key ?? '') + (value === null ? '' : `=${value}`)).join('&')}`;
}
