/** A media type or range, with its parameters. Names are in lower case, values as sent. */
export interface MediaType {
  /** For example `application/json`, `text/*`, or the range of all types. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

// Clients send headers of some hundred characters. The rest of a longer one is ignored.
const MAX_HEADER_LENGTH = 2_000;
// A token, or a quoted string.
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/gy;
const ELEMENT = /[ \t,]*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)[ \t]*/gy;

/**
 * Parses the value of `Content-Type` or `Accept` (RFC 9110, sections 8.3.1 and 12.5.1).
 *
 * @returns The types in the order of the header. What follows the first syntax error is left out.
 */
export function parseMediaTypes(header: string): readonly MediaType[] {
  const text = header.slice(0, MAX_HEADER_LENGTH);
  const types: MediaType[] = [];
  for (let at = 0; at < text.length; ) {
    ELEMENT.lastIndex = at;
    const [matched, type] = ELEMENT.exec(text) ?? [];
    if (matched === undefined || type === undefined) break;
    at += matched.length;
    const parameters = new Map<string, string>();
    for (;;) {
      PARAMETER.lastIndex = at;
      const [parameter, name, token, quoted] = PARAMETER.exec(text) ?? [];
      if (parameter === undefined) break;
      at += parameter.length;
      if (name !== undefined) parameters.set(name.toLowerCase(), token ?? quoted?.replace(/\\(.)/g, '$1') ?? '');
    }
    types.push({ type: type.toLowerCase(), parameters });
    if (at < text.length && text[at] !== ',') break;
  }
  return types;
}

/**
 * Picks the media type of a response. The most specific range that matches a type decides its quality; of types with
 * equal quality, the one whose range comes first in the header wins.
 *
 * @param accept - The header `Accept`; null accepts everything.
 * @param offered - The types that the server can send in UTF-8, the preferred one first.
 * @returns undefined if the client accepts none of them.
 */
export function negotiate<Type extends string>(accept: string | null, offered: readonly Type[]): Type | undefined {
  if (accept === null || accept.trim() === '') return offered[0];
  const ranges = parseMediaTypes(accept).filter(({ parameters }) => isUtf8(parameters.get('charset')));
  let best: { readonly type: Type; readonly quality: number; readonly position: number } | undefined;
  for (const type of offered) {
    const [range] = ranges
      .map((one, position) => ({ position, quality: toQuality(one), specificity: specificityOf(one.type, type) }))
      .filter(({ specificity }) => specificity > 0)
      .sort((a, b) => b.specificity - a.specificity || a.position - b.position);
    if (!range || range.quality === 0) continue;
    const isBetter =
      !best || range.quality > best.quality || (range.quality === best.quality && range.position < best.position);
    if (isBetter) best = { type, quality: range.quality, position: range.position };
  }
  return best?.type;
}

function isUtf8(charset = 'utf-8'): boolean {
  return ['utf-8', 'utf8', '*'].includes(charset.toLowerCase());
}

/** 3 for the type itself, 2 for its subtypes, 1 for all types, 0 for others. */
function specificityOf(range: string, type: string): number {
  if (range === type) return 3;
  if (range === '*/*') return 1;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1)) ? 2 : 0;
}

/** The parameter `q`, from 0 to 1; 1 if it is missing or no number. */
function toQuality({ parameters }: MediaType): number {
  const quality = Number(parameters.get('q') ?? 1);
  return quality >= 0 && quality <= 1 ? quality : 1;
}
