import { textAroundReferences } from './references.ts';

/** What a withheld header or cookie reads. Withheld variables and auth parameters are null instead. */
export const MASKED_TEXT = '******';

const CREDENTIAL_WORDS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'privatekey',
  'apikey',
  'accesskey',
  'applicationkey',
  'authkey',
  'functionskey',
  'masterkey',
  'sessionid',
  'sessionkey',
  'signingkey',
  'subscriptionkey',
  'credential',
  'assertion',
  'authorization',
  'cookie',
  'jwt',
  'verifier',
];
const CREDENTIAL_NAMES = new Set(['pass', 'pwd', 'code', 'signature', 'auth', 'xauth', 'authentication', 'sid']);
/** Names such as `accessTokenUrl`, `tokenType` or `addTokenTo` speak about a credential without holding one. */
const HARMLESS_NAMES = /(?:ur[li]|type|name|to|prefix|params|endpoint|service|method|expiresin)$|^is.*encoded$/;
const AUTH_SCHEMES = new Set(['', 'basic', 'bearer', 'digest', 'token', 'apikey', 'key']);

/** Whether a parameter of this name holds a credential, judged by its name in any spelling (`clientSecret`, `client_secret`). */
export function isCredentialName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (CREDENTIAL_NAMES.has(plain)) return true;
  return CREDENTIAL_WORDS.some((word) => plain.includes(word)) && !HARMLESS_NAMES.test(plain);
}

/**
 * Whether a parameter of an auth block holds a credential.
 *
 * @param type - The auth type; in `apikey` it is every parameter but those that say where the key goes.
 */
export function isCredentialParameter(type: string, key: string): boolean {
  return isCredentialName(key) || (type === 'apikey' && key !== 'key' && key !== 'in');
}

/**
 * Whether the value of a secret is worth hiding. Nothing, an empty text, a switch (also as text), and text made of
 * `{{variables}}` alone, if need be behind a scheme (`Bearer {{token}}`), give nothing away.
 */
export function isSecretValue(value: unknown): boolean {
  if (value == null || value === '' || typeof value === 'boolean' || value === 'true' || value === 'false')
    return false;
  if (typeof value !== 'string') return true;
  const rest = textAroundReferences(value);
  return rest === null || !AUTH_SCHEMES.has(rest.replace(/[\s:]/g, '').toLowerCase());
}
