import type { Call } from '../postman/call.ts';
import { parseJsonInTasks } from '../http/parse-json.ts';
import type { HttpResponse } from '../http/http-client.ts';
import { UnexpectedShapeError } from '../postman/resources/body.ts';
import { type ResponseHead, toUpstreamError } from '../http/response-error.ts';
import { UpstreamError } from '../http/upstream-error.ts';

const BROKEN_WAIT_MS = 10_000;

/**
 * Parses the response to a call. JSON is parsed in tasks, and the call's own `parse` is another one, so that a large body
 * blocks others for less time.
 *
 * @returns The value that the call's `parse` returns.
 * @throws {UpstreamError} For every status except 200, and for a body that does not have the shape of the route.
 */
export async function parseResponse<T>(
  { status, headers, text, runTask }: HttpResponse,
  { route, parse }: Pick<Call<T>, 'route' | 'parse'>,
  head: ResponseHead,
): Promise<T> {
  if (status !== 200) {
    const body = parseJsonOrText(text);
    const isText = typeof body === 'string';
    throw toUpstreamError({
      ...head,
      route,
      status,
      body,
      isBroken: isText && isJson(headers),
      isFromIntermediary: isText && !isJson(headers) && (body !== '' || headers['content-type'] !== undefined),
    });
  }
  const { template } = route;
  // A retry can succeed here: the body was cut off, or is the page of a proxy.
  const broken = (message: string) =>
    new UpstreamError('serverError', message, {
      route: template,
      status,
      retryAtMs: head.receivedAtMs + BROKEN_WAIT_MS,
    });
  if (!isJson(headers)) throw broken('Postman, or a proxy in front of it, responded with something other than JSON.');
  try {
    const body = await parseJsonInTasks(text, runTask);
    return await runTask(() => parse(body));
  } catch (error) {
    if (error instanceof UnexpectedShapeError)
      throw new UpstreamError(
        'badResponse',
        `Postman's response does not have the shape of this route. ${error.message}`,
        {
          route: template,
          status,
          cause: error,
        },
      );
    // No `cause`: the message of a SyntaxError quotes the body, which may hold secrets.
    if (error instanceof SyntaxError) throw broken("Postman's response is not valid JSON: it may be cut off.");
    throw error;
  }
}

function isJson(headers: HttpResponse['headers']): boolean {
  return /[/+]json\b/i.test(String(headers['content-type'] ?? '').slice(0, 200));
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Gateways send errors as HTML or with an empty body; the status says enough.
    return text.slice(0, 2_000);
  }
}
