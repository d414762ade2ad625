import { cutOutsideReferences, positionsOutsideReferences, splitOutsideReferences } from '../syntax/references.ts';
import { isCredential, isSecretValue, isUrlText, looksRandom, MASKED_TEXT, mayNameCredential } from './secrets.ts';
import { cutProtocol } from '../syntax/url-text.ts';

/**
 * Masks the credentials in a URL as text: the password before the host, and the values of query parameters (also after
 * `#`) with the name of a credential. Everything else stays unchanged.
 */
export function maskUrlText(text: string): string {
  if (!mayHoldCredentials(text)) return text;
  const [beforeHash, hash] = cutOutsideReferences(text, '#');
  const [address, query] = cutOutsideReferences(beforeHash, '?');
  const [protocol, rest] = cutProtocol(address);
  const [authority, path] = cutOutsideReferences(rest, '/');
  return [
    protocol === null ? '' : `${protocol}://`,
    maskUserInfo(authority),
    path === null ? '' : `/${path}`,
    query === null ? '' : `?${maskPairs(query)}`,
    hash === null ? '' : `#${maskPairs(hash)}`,
  ].join('');
}

/** Whether a text has user info, or values under names that could be those of credentials. */
function mayHoldCredentials(text: string): boolean {
  return text.includes('@') || (text.includes('=') && mayNameCredential(text));
}

/** Masks the password in `user:password@host`, and a user that looks like a key. */
export function maskUserInfo(authority: string): string {
  if (!authority.includes('@')) return authority;
  const at = positionsOutsideReferences(authority, '@').at(-1);
  if (at === undefined) return authority;
  const [user, password] = cutOutsideReferences(authority.slice(0, at), ':');
  const shownUser = looksRandom(user) ? MASKED_TEXT : user;
  const shownPassword = password === null ? '' : `:${isSecretValue(password) ? MASKED_TEXT : password}`;
  return `${shownUser}${shownPassword}${authority.slice(at)}`;
}

/** Masks the credentials in text such as `a=1&password=b`. */
export function maskPairs(text: string): string {
  if (!mayHoldCredentials(text)) return text;
  return splitOutsideReferences(text, '&')
    .map((part) => {
      const [key, value] = cutOutsideReferences(part, '=');
      return value === null ? part : `${key}=${maskRowText(key, value)}`;
    })
    .join('&');
}

/** Masks text under a freely chosen name: all of it if it is a credential, the credentials in it if it is a URL. */
export function maskRowText(name: string, text: string): string {
  if (isCredential(name, text)) return MASKED_TEXT;
  return isUrlText(text) ? maskUrlText(text) : text;
}
