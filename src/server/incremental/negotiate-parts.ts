/** The formats of parts, as clients name them in `Accept`. */
export type PartFormat = 'deferSpec=20220824' | 'incrementalSpec=v0.2';

/** How parts are sent to a client. */
export interface PartTransport {
  readonly mediaType: 'multipart/mixed' | 'text/event-stream';
  readonly format: PartFormat;
  /** The content type of the response. It names the format if the client did. */
  readonly contentType: string;
}

/** Why a client cannot be sent parts: it accepts none, or only formats that this server does not know. */
export type PartRefusal = 'no parts' | 'unknown format';

// What clients that name no format were made for, and what this server sent before it knew another one.
const DEFAULT_FORMAT: PartFormat = 'deferSpec=20220824';
// By parameter, in lower case. `incrementalSpec=v0.1` is the name that some servers have for the older format.
const FORMATS: ReadonlyMap<string, PartFormat> = new Map([
  ['deferspec=20220824', 'deferSpec=20220824'],
  ['incrementalspec=v0.1', 'deferSpec=20220824'],
  ['incrementalspec=v0.2', 'incrementalSpec=v0.2'],
]);
const FORMAT_PARAMETERS = ['incrementalspec', 'deferspec', 'incrementaldeliveryspec'];

// In the order in which they are preferred.
const MEDIA_TYPES = ['multipart/mixed', 'text/event-stream'] as const;
const CONTENT_TYPES = { 'multipart/mixed': 'multipart/mixed; boundary="-"', 'text/event-stream': 'text/event-stream' };

/** A media range of `Accept`. Names are in lower case. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Chooses how an incremental response is sent, by the request header `Accept`. The highest `q` counts, then a range
 * that names a format, then one that names the media type, then `multipart/mixed`, then the first one.
 *
 * The parameters `deferSpec` and `incrementalSpec` of either media type name the format. Without them it is that of
 * 24 August 2022. A wildcard does not stand for a media type of which the client accepts only unknown formats.
 *
 * @param accepted - The ranges in the order of the header. Without any, the client accepts everything.
 * @see RFC 9110, section 12.5.1
 * @see https://specs.apollo.dev/incremental/v0.2
 */
export function negotiateParts(accepted: readonly MediaRange[]): PartTransport | PartRefusal {
  const ranges = accepted.length === 0 ? [EVERYTHING] : accepted.filter(isUtf8);
  let best: { readonly rank: readonly number[]; readonly transport: PartTransport } | undefined;
  let hasUnknown = false;
  for (const [preference, mediaType] of MEDIA_TYPES.entries()) {
    const exact = ranges.filter(({ type }) => type === mediaType);
    const [family] = mediaType.split('/');
    const matching = exact.length > 0 ? exact : ranges.filter(({ type }) => type === `${family}/*` || type === '*/*');
    for (const { parameters } of matching) {
      const quality = toQuality(parameters);
      if (quality === 0) continue;
      const name = toFormatName(parameters);
      const format = name === undefined ? DEFAULT_FORMAT : FORMATS.get(name);
      if (!format) {
        hasUnknown = true;
        continue;
      }
      const rank = [quality, name === undefined ? 0 : 1, exact.length > 0 ? 1 : 0, -preference];
      if (best && compare(rank, best.rank) <= 0) continue;
      const contentType = `${CONTENT_TYPES[mediaType]}${name === undefined ? '' : `; ${format}`}`;
      best = { rank, transport: { mediaType, format, contentType } };
    }
  }
  return best?.transport ?? (hasUnknown ? 'unknown format' : 'no parts');
}

const EVERYTHING: MediaRange = { type: '*/*', parameters: new Map() };

/** Parts are always sent in UTF-8. */
function isUtf8({ parameters }: MediaRange): boolean {
  return ['utf-8', 'utf8', '*'].includes(parameters.get('charset')?.toLowerCase() ?? 'utf-8');
}

/** The parameter `q`; 1 if it is missing or no number. */
function toQuality(parameters: MediaRange['parameters']): number {
  const quality = Number(parameters.get('q') ?? 1);
  return Number.isNaN(quality) ? 1 : quality;
}

/** The parameter that names a format. */
function toFormatName(parameters: MediaRange['parameters']): string | undefined {
  const name = FORMAT_PARAMETERS.find((one) => parameters.has(one));
  return name && `${name}=${parameters.get(name)}`.toLowerCase();
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((value, position) => value !== other[position]);
  return index === -1 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}
