import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const WELL_FORMED = /^[\w.:=+/@-]{1,128}$/;
const API_KEY = /PM(?:AK|AT)-/i;

/**
 * Returns the id of a request, which its response and the log have: that of its header `X-Request-Id`, or a new one if
 * there is none, it is malformed, or it contains a secret. An id has 1 to 128 letters, digits and `_ . : = + / @ -`.
 */
export function toRequestId(headers: IncomingHttpHeaders): string {
  const id = headers['x-request-id'];
  if (typeof id !== 'string' || !WELL_FORMED.test(id) || API_KEY.test(id)) return randomUUID();
  const secrets = [headers['x-api-key'], headers.authorization?.replace(/^\S+ +/, '')];
  return secrets.some((secret) => typeof secret === 'string' && secret !== '' && id.includes(secret))
    ? randomUUID()
    : id;
}
