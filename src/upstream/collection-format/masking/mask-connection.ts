import { mapElements, mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, type JsonObject, toList } from '../syntax/json.ts';
import { maskMember } from './mask-rows.ts';
import { maskUserInfo } from './mask-url-text.ts';
import { isRow } from '../syntax/rows.ts';
import { isSecretValue, MASKED_TEXT } from './secrets.ts';

/** The members of cookies, proxies and certificates that are shown: those that say where they apply. */
const SHOWN_OF_COOKIE = new Set(
  'name key domain path expires maxAge hostOnly httpOnly secure session sameSite extensions'.split(' '),
);
const SHOWN_OF_PROXY = new Set('match host server port protocol tunnel username bypass name disabled'.split(' '));
const SHOWN_OF_CERTIFICATE = new Set('name matches src'.split(' '));

/** Masks the values of cookies, which are rows, lines, or an object that maps names to values. */
export function maskCookies(json: unknown, levels: number): unknown {
  if (typeof json !== 'object' || json === null) return isSecretValue(json) ? MASKED_TEXT : json;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (cookie, below) =>
      isJsonObject(cookie) ? maskCookie(cookie, below) : maskCookies(cookie, below),
    );
  return isRow(json) ? maskCookie(json, levels) : mapMembers(json, levels, maskedText);
}

/** Masks everything in a proxy but the members in `SHOWN_OF_PROXY`. */
export function maskProxy(json: unknown, levels: number): unknown {
  return maskAllBut(SHOWN_OF_PROXY, json, levels);
}

/** Masks the passphrase of a certificate, and keys that are given inline instead of as files. */
export function maskCertificate(json: unknown, levels: number): unknown {
  return maskAllBut(SHOWN_OF_CERTIFICATE, json, levels);
}

function maskCookie(cookie: JsonObject, levels: number): JsonObject {
  return mapMembers(cookie, levels, (value, name, below) =>
    SHOWN_OF_COOKIE.has(name) ? maskMember('', value, below) : maskedText(value),
  );
}

function maskedText(value: unknown): unknown {
  return isSecretValue(value) ? MASKED_TEXT : value;
}

/** Masks all text and numbers, at any depth; under the `shown` names only the user info in text. */
function maskAllBut(shown: ReadonlySet<string>, json: unknown, levels: number, isShown = false): unknown {
  if (typeof json === 'string' && isShown) return maskUserInfo(json);
  if (typeof json !== 'object' || json === null) return isShown || !isSecretValue(json) ? json : null;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (element, below) => maskAllBut(shown, element, below, isShown));
  return mapMembers(json, levels, (value, key, below) => maskAllBut(shown, value, below, shown.has(key)));
}
