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
// By lower-case parameter. `incrementalSpec=v0.1` is the name that some servers have for the older format.
const FORMATS: ReadonlyMap<string, PartFormat> = new Map([
  ['deferspec=20220824', 'deferSpec=20220824'],
  ['incrementalspec=v0.1', 'deferSpec=20220824'],
  ['incrementalspec=v0.2', 'incrementalSpec=v0.2'],
]);
const FORMAT_PARAMETER = /^(?:deferspec|incrementalspec|incrementaldeliveryspec)=/;

// In the order in which they are preferred.
const MEDIA_TYPES = ['multipart/mixed', 'text/event-stream'] as const;
const CONTENT_TYPES = { 'multipart/mixed': 'multipart/mixed; boundary="-"', 'text/event-stream': 'text/event-stream' };

/** A media range of `Accept`. */
interface MediaRange {
  readonly type: string;
  readonly quality: number;
  /** As the client wrote it, in lower case. */
  readonly formatName: string | undefined;
  /** undefined: the client named a format that this server does not know. */
  readonly format: PartFormat | undefined;
}

/**
 * Chooses how an incremental response is sent, by the request header `Accept`. The highest `q` counts, then a range
 * that names a format, then one that names the media type, then `multipart/mixed`, then the first one.
 *
 * The parameters `deferSpec` and `incrementalSpec` of either media type name the format. Without them it is that of
 * 24 August 2022. A wildcard does not stand for a media type of which the client accepts only unknown formats.
 *
 * @param accept - The header's value; null: the client accepts everything.
 * @see RFC 9110, section 12.5.1
 * @see https://specs.apollo.dev/incremental/v0.2
 */
export function negotiateParts(accept: string | null): PartTransport | PartRefusal {
  const ranges = splitQuoted(accept ?? '*/*', ',').flatMap(parseRange);
  let best: { readonly rank: readonly number[]; readonly transport: PartTransport } | undefined;
  let hasUnknown = false;
  for (const [preference, mediaType] of MEDIA_TYPES.entries()) {
    const exact = ranges.filter(({ type }) => type === mediaType);
    const [family] = mediaType.split('/');
    const matching = exact.length > 0 ? exact : ranges.filter(({ type }) => type === `${family}/*` || type === '*/*');
    for (const { quality, formatName, format } of matching) {
      if (quality === 0) continue;
      if (!format) {
        hasUnknown = true;
        continue;
      }
      const rank = [quality, formatName === undefined ? 0 : 1, exact.length > 0 ? 1 : 0, -preference];
      if (best && compare(rank, best.rank) <= 0) continue;
      const contentType = `${CONTENT_TYPES[mediaType]}${formatName === undefined ? '' : `; ${format}`}`;
      best = { rank, transport: { mediaType, format, contentType } };
    }
  }
  return best?.transport ?? (hasUnknown ? 'unknown format' : 'no parts');
}

function parseRange(text: string): MediaRange[] {
  const [type = '', ...parameters] = splitQuoted(text.toLowerCase(), ';').map((piece) => piece.trim());
  const named = parameters.map((parameter) => parameter.replaceAll(/\s*=\s*/g, '=').replaceAll('"', ''));
  const charset = named.find((parameter) => parameter.startsWith('charset='));
  // Parts are always sent in UTF-8.
  if (charset !== undefined && charset !== 'charset=utf-8') return [];
  const quality = Number(/^q=(.*)$/.exec(named.find((parameter) => parameter.startsWith('q=')) ?? '')?.[1] ?? 1);
  const formatName = named.find((parameter) => FORMAT_PARAMETER.test(parameter));
  return [
    {
      type,
      quality: Number.isNaN(quality) ? 1 : quality,
      formatName,
      format: formatName === undefined ? DEFAULT_FORMAT : FORMATS.get(formatName),
    },
  ];
}

/** Splits a text at a separator, except inside of quotes. */
function splitQuoted(text: string, separator: ',' | ';'): readonly string[] {
  const pieces = [''];
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) pieces.push('');
    else pieces[pieces.length - 1] += character;
  }
  return pieces;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((value, position) => value !== other[position]);
  return index === -1 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}
