import { textAroundReferences } from '../syntax/references.ts';

/** Replaces a masked secret in text (headers, rows of forms and queries, URLs, cookies). Elsewhere, null does. */
export const MASKED_TEXT = '******';

/** A cheap first check: a name without any of these parts is not that of a credential. */
const SUSPICIOUS =
  /pass|pwd|secret|token|key|session|sid|cred|assert|auth|cookie|jwt|verifier|sign|csrf|xsrf|hmac|otp|bearer|code/i;
/** Parts of names of credentials, matched against plain names (see `toPlainName`). */
const CREDENTIAL_WORDS = new RegExp(
  [
    'password|passwd|passphrase|passcode|^pwd|pwd$',
    '(?:db|database|user|smtp|ftp|mail|proxy|root|admin|login|basic)pass$',
    'secret|token|privatekey|apikey|accesskey|applicationkey|authkey|functionskey|masterkey|sessionkey|signingkey',
    'subscriptionkey|sessionid|credential|creds|assertion|authorization|cookie|jwt|verifier|signature|csrf|xsrf|hmac',
  ].join('|'),
);
const CREDENTIAL_NAMES = new Set(
  'pass auth xauth authentication sid postmansid otp totp bearer authcode oauthcode'.split(' '),
);
/** Names such as `accessTokenUrl`, `tokenType` or `addTokenTo` describe a credential without holding one. */
const HARMLESS_NAMES = new RegExp(
  [
    '(?:ur[li]|type|hint|name|to|prefix|params|endpoint|service|method|version|algorithm|input|headers|policy|status)$',
    '(?:seconds|minutes|hours|days|expir(?:y|es|esin|esat|ation)|lifetime|ttl|length|count|limit|format|enabled)$',
    '(?:required|domain|consent|address|symbol|decimals|amount|balance|scopes?|audience|issuer)$',
    '(?:authorization|credential|.token)id$|(?:max|min|num|total|prompt|completion|input|output|new|used)tokens$',
    '^is.*encoded$',
  ].join('|'),
);
/** Ambiguous names: they hold a credential only if the value looks like a key. */
const VAGUE_NAMES = new Set(['key', 'code']);
const RANDOM_TEXT = /^(?:[\da-f]{32,512}|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w-]{16,512})$/;
/** Names that can also hold the URL to sign in at. */
const SIGN_IN_URL_NAMES = new Set(['auth', 'authentication', 'token']);
const URL_START = /^\s*(?:[a-z][a-z\d+.-]*|\{\{[^{}]*\}\}):\/\//i;
const AUTH_SCHEMES = new Set(['', 'basic', 'bearer', 'digest', 'token', 'apikey', 'key']);

/** Whether this is the name of a credential, in any spelling (`clientSecret`, `client_secret`, `client%5Fsecret`). */
export function isCredentialName(name: string): boolean {
  if (!SUSPICIOUS.test(name)) return false;
  const plain = toPlainName(name);
  return CREDENTIAL_NAMES.has(plain) || (CREDENTIAL_WORDS.test(plain) && !HARMLESS_NAMES.test(plain));
}

/** Whether a text can contain the name of a credential. Most texts cannot, and reading their names takes longer. */
export function mayNameCredential(text: string): boolean {
  return SUSPICIOUS.test(text);
}

/** Normalises a name for comparison: lower case, letters and digits only. */
export function toPlainName(name: string): string {
  return name.toLowerCase().replaceAll(/%[\da-f]{2}|[^a-z\d]/g, '');
}

/**
 * Whether a value is a credential: it has the name of one and is worth hiding. This rule applies wherever names are
 * freely chosen: headers, queries, forms, variables.
 */
export function isCredential(name: string, value: unknown): boolean {
  if (!SUSPICIOUS.test(name) || !isSecretValue(value)) return false;
  const plain = toPlainName(name);
  if (VAGUE_NAMES.has(plain)) return typeof value === 'string' && looksRandom(value);
  return isCredentialName(name) && !(SIGN_IN_URL_NAMES.has(plain) && isUrlText(value));
}

/** Whether text looks like a generated key. */
export function looksRandom(text: string): boolean {
  return RANDOM_TEXT.test(text);
}

/** Whether a value is text that starts like a URL. */
export function isUrlText(value: unknown): value is string {
  return typeof value === 'string' && value.includes('://') && URL_START.test(value);
}

/**
 * Whether the value of a secret is worth hiding. These reveal nothing: a missing value; empty text, lists and objects;
 * booleans, also as text; and text of `{{variables}}` only, even after an auth scheme (`Bearer {{token}}`).
 */
export function isSecretValue(value: unknown): boolean {
  if (value == null || value === '' || typeof value === 'boolean' || value === 'true' || value === 'false')
    return false;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  if (typeof value !== 'string') return true;
  const rest = textAroundReferences(value);
  return rest === null || !AUTH_SCHEMES.has(rest.replace(/[\s:]/g, '').toLowerCase());
}
