/**
 * Entry of the hooks module: requests by which Postman reports changes. It exports `createPostmanHook`. The module knows
 * no GraphQL and no cache: it passes on which subjects have changed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../upstream/clock.ts';
import type { Secret } from '../../upstream/http/secret.ts';
import { toChangedSubjects } from '../../upstream/postman/team-activity.ts';
import { isOneOf } from '../http/bearer.ts';
import { createEventRate } from './event-rate.ts';

/**
 * How a request to the hook ended: `applied`: something has changed; `ignored`: its body names nothing; `limited`: too
 * many came, and this one was not read; `refused`: its secret, its method or its size is wrong.
 */
export type HookOutcome = 'applied' | 'ignored' | 'limited' | 'refused';

/** What the hook reports to. */
export interface HookOptions {
  /** A request must have one of them. Empty: the path does not exist. */
  readonly secrets: readonly Secret[];
  readonly clock: Clock;
  /** These subjects have changed by now. */
  readonly onChange: (subjects: readonly string[]) => void;
  /** Gets the line of each request to an existing hook. */
  readonly log: (fields: object) => void;
  /** Gets the outcome of each of them. Absent: nobody counts them. */
  readonly onEnd: ((outcome: HookOutcome) => void) | undefined;
}

const PATH = '/hooks/postman';
const MAX_BODY_BYTES = 65_536;
// Longer than any valid secret in any of its forms.
const MAX_CREDENTIALS = 2_048;

/**
 * Makes the handler of `POST /hooks/postman`. It runs before all checks of GraphQL requests: the secret is of its own.
 *
 * A body that names nothing is accepted like any other, so that Postman never has a reason to switch the webhook off.
 *
 * @returns A function that returns true if it responds to the request.
 */
export function createPostmanHook({ secrets, clock, onChange, log, onEnd }: HookOptions) {
  const mayHandle = createEventRate(clock);

  const handle = async (request: IncomingMessage, end: (status: number, outcome: HookOutcome) => void) => {
    if (request.method !== 'POST') return end(405, 'refused');
    if (!isOneOf(secretOf(request), secrets)) return end(401, 'refused');
    if (!mayHandle()) return end(204, 'limited');
    const text = await readBody(request);
    if (text === undefined) return end(413, 'refused');
    const subjects = toChangedSubjects(parse(text));
    if (subjects.length === 0) return end(204, 'ignored');
    onChange(subjects);
    return end(204, 'applied');
  };

  return (request: IncomingMessage, response: ServerResponse, requestId: string): boolean => {
    if (!isPath(request)) return false;
    if (secrets.length === 0) {
      respond(request, response, 404);
      return true;
    }
    handle(request, (status, outcome) => {
      respond(request, response, status);
      log({ requestId, status, outcome });
      onEnd?.(outcome);
    }).catch(() => response.destroy());
    return true;
  };
}

function isPath({ url = '' }: IncomingMessage): boolean {
  return url === PATH || url.startsWith(`${PATH}?`);
}

function respond(request: IncomingMessage, response: ServerResponse, status: number): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    'content-length': 0,
    ...(status === 405 && { allow: 'POST' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    // The rest of the body would be taken for the next request.
    ...(!request.complete && { connection: 'close' }),
  });
  response.end();
}

/**
 * Finds the secret of a request: in `Authorization`, as a bearer token or as the password (or else the user name) of
 * `Basic`, which a URL with user information becomes, or else in the query parameter `secret`. Postman lets the operator enter nothing but a URL.
 */
function secretOf({ headers, url = '' }: IncomingMessage): string {
  const [, scheme = '', credentials = ''] =
    /^(bearer|basic) +(\S+)$/i.exec((headers.authorization ?? '').slice(0, MAX_CREDENTIALS)) ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme !== '') {
    const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(Buffer.from(credentials, 'base64').toString()) ?? [];
    return password || user;
  }
  return new URLSearchParams(url.slice(PATH.length + 1, MAX_CREDENTIALS)).get('secret') ?? '';
}

/** Reads a body. undefined: it is too large. Rejects if the client disconnects. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
