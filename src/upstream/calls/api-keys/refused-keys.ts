import { adviseOnKeyForm } from './key-form.ts';
import type { Secret } from '../../http/secret.ts';
import { UpstreamError } from '../../http/upstream-error.ts';

/**
 * What calls are sent to: Postman (or a server with its API) at an origin, or the sandbox, where clients send no key.
 */
export type Upstream = { readonly origin: string } | 'exampleAccount' | 'exports';

/**
 * Adds to the error of a rejected API key the host it was sent to and what to change; returns every other error
 * unchanged.
 */
export type ExplainRefusedKey = (thrown: unknown, apiKey: Secret) => unknown;

const WITHOUT_KEY = {
  exampleAccount:
    'This server uses its sandbox, an embedded example account, which accepts no key: omit X-Api-Key, or leave it empty. To use Postman, start the server with POSTMAN_API_BASE_URL=https://api.getpostman.com.',
  exports:
    'This server uses its sandbox, the exported files of SANDBOX_DIR, which accepts no key: omit X-Api-Key, or leave it empty.',
} as const;

const EU_HOST = 'api.eu.postman.com';
const HOSTS: readonly string[] = ['api.getpostman.com', 'api.postman.com'];

/** Makes the function that explains why a key was rejected. The text names the host and quotes nothing of the key. */
export function createExplainRefusedKey(upstream: Upstream): ExplainRefusedKey {
  return (thrown, apiKey) => {
    if (!(thrown instanceof UpstreamError) || thrown.kind !== 'unauthenticated') return thrown;
    const { message, kind, route, status, upstreamName } = thrown;
    const explained =
      typeof upstream === 'string'
        ? `The sandbox refused the API key. ${WITHOUT_KEY[upstream]}`
        : `${message.replace(/(?<![.!?])$/, '.')} ${toAdvice(new URL(upstream.origin).host, apiKey.reveal())}`;
    return new UpstreamError(kind, explained, {
      ...(route !== undefined && { route }),
      ...(status !== undefined && { status }),
      ...(upstreamName !== undefined && { upstreamName }),
    });
  };
}

function toAdvice(host: string, key: string): string {
  const hostSentence = `The key was sent to ${host}.`;
  const advice = adviseOnKeyForm(key);
  if (advice !== undefined) return `${hostSentence} ${advice}`;
  return `${hostSentence} It may have expired or been revoked${toRegionHint(host)}.`;
}

/** A key works in one region only, and its form does not show in which. */
function toRegionHint(host: string): string {
  const keysWorkAt = (origin: string) => `whose keys work only at ${origin} (POSTMAN_API_BASE_URL)`;
  if (HOSTS.includes(host)) return `, or belong to an account in the EU, ${keysWorkAt(`https://${EU_HOST}`)}`;
  if (host === EU_HOST) return `, or belong to an account outside the EU, ${keysWorkAt('https://api.getpostman.com')}`;
  return ", or be for another host: this one is not Postman's (POSTMAN_API_BASE_URL)";
}
