import { adviseOnKeyForm } from '../upstream/calls/api-keys/key-form.ts';

const HEADERS = [
  'authorization',
  'apikey',
  'api-key',
  'api_key',
  'x-apikey',
  'x-api_key',
  'postman-api-key',
  'x-postman-api-key',
];
const PARAMETERS = ['apikey', 'api_key', 'api-key', 'x-api-key', 'access_key'];

/**
 * Says that a request has no API key, and where it has one that is not looked for.
 *
 * @param hasAccessToken - The server wants `Authorization` for itself.
 * @returns Nothing of what was sent.
 */
export function toMissingKey(request: Request, hasAccessToken: boolean): string {
  const missing = 'There is no API key: send one in the X-Api-Key header.';
  const header = HEADERS.find((name) => request.headers.has(name) && !(hasAccessToken && name === 'authorization'));
  if (header !== undefined) return `${missing} What the header ${header} has is not read as a key.`;
  const { searchParams } = new URL(request.url);
  if (PARAMETERS.some((name) => searchParams.has(name)))
    return `${missing} One in the address is not read, and should be replaced: addresses end up in logs.`;
  return missing;
}

/** Says why the header `X-Api-Key` cannot be a key. Nothing of what was sent is in it. */
export function toImpossibleKey(header: string): string {
  return ['X-Api-Key has to be sent once, and be one Postman API key.', adviseOnKeyForm(header)]
    .filter(Boolean)
    .join(' ');
}
