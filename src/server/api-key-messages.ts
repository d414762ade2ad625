import { adviseOnKeyForm } from '../upstream/calls/api-keys/key-form.ts';

const WRONG_HEADERS = [
  'authorization',
  'apikey',
  'api-key',
  'api_key',
  'x-apikey',
  'x-api_key',
  'postman-api-key',
  'x-postman-api-key',
];
const WRONG_PARAMETERS = ['apikey', 'api_key', 'api-key', 'x-api-key', 'access_key'];

/**
 * Makes the message that a request has no API key. If it seems to have one in the wrong place, the message names that.
 *
 * @param hasAccessToken - The server expects its access token in `Authorization`.
 * @returns A text without any value that was sent.
 */
export function toMissingKey(request: Request, hasAccessToken: boolean): string {
  const missing = 'There is no API key: send one in the X-Api-Key header.';
  const header = WRONG_HEADERS.find(
    (name) => request.headers.has(name) && !(hasAccessToken && name === 'authorization'),
  );
  if (header !== undefined) return `${missing} The ${header} header is not read as a key.`;
  const { searchParams } = new URL(request.url);
  if (WRONG_PARAMETERS.some((name) => searchParams.has(name)))
    return `${missing} A key in the URL is not read, and should be replaced, because URLs end up in logs.`;
  return missing;
}

/** Makes the message that says why an `X-Api-Key` header cannot be a key. It contains nothing of the header. */
export function toImpossibleKey(header: string): string {
  return ['X-Api-Key must be sent once and contain one Postman API key.', adviseOnKeyForm(header)]
    .filter(Boolean)
    .join(' ');
}
