import { cutOutsideReferences, positionsOutsideReferences, splitOutsideReferences } from '../syntax/references.ts';
import { isCredential, isSecretValue, isUrlText, looksRandom, MASKED_TEXT } from './secrets.ts';
import { cutProtocol } from '../syntax/url-text.ts';

/**
 * Takes the credentials out of a URL written as text: the password before its host, and the values of query parameters that have a
 * credential's name. Everything else stays as it is written.
 */
export function maskUrlText(text: string): string {
  if (!text.includes('@') && !text.includes('=')) return text;
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

/** Takes the password out of `user:password@host`, and a user that is a key. */
export function maskUserInfo(authority: string): string {
  if (!authority.includes('@')) return authority;
  const at = positionsOutsideReferences(authority, '@').at(-1);
  if (at === undefined) return authority;
  const [user, password] = cutOutsideReferences(authority.slice(0, at), ':');
  const shownUser = looksRandom(user) ? MASKED_TEXT : user;
  const shownPassword = password === null ? '' : `:${isSecretValue(password) ? MASKED_TEXT : password}`;
  return `${shownUser}${shownPassword}${authority.slice(at)}`;
}

/** Takes the credentials out of `a=1&password=b`. */
export function maskPairs(text: string): string {
  if (!text.includes('=')) return text;
  return splitOutsideReferences(text, '&')
    .map((part) => {
      const [key, value] = cutOutsideReferences(part, '=');
      return value === null ? part : `${key}=${maskRowText(key, value)}`;
    })
    .join('&');
}

/** Gives text that stands under a name of somebody's choice as it may be shown: a credential is masked whole, in a URL where it stands. */
export function maskRowText(name: string, text: string): string {
  if (isCredential(name, text)) return MASKED_TEXT;
  return isUrlText(text) ? maskUrlText(text) : text;
}
