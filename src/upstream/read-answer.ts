import type { Call, Route } from './call.ts';
import { toUpstreamError } from './classify.ts';
import type { Instant } from './clock.ts';
import type { HttpAnswer } from './http.ts';
import { UnexpectedShapeError } from './postman/body.ts';
import { UpstreamError } from './upstream-error.ts';

const BROKEN_WAIT_MS = 10_000;

/**
 * Reads what a call was answered with. Parsing a large body and reading it are two pieces, with a turn for everybody else in between.
 *
 * @param secret - The API key, to be removed from whatever is quoted.
 * @param answeredAt - When the answer came.
 * @returns What `parse` makes of the body.
 * @throws {UpstreamError} For every status but 200, and for a body that is not what the route answers with.
 */
export async function readAnswer<T>(
  { status, headers, text, inTurn }: HttpAnswer,
  route: Route,
  parse: Call<T>['parse'],
  secret: string,
  answeredAt: Instant,
): Promise<T> {
  if (status !== 200) {
    const body = parseJsonOrText(text);
    throw toUpstreamError({
      route: route.template,
      status,
      headers,
      body,
      isBroken: typeof body === 'string' && isJson(headers),
      isForeign: typeof body === 'string' && !isJson(headers) && (body !== '' || headers['content-type'] !== undefined),
      answeredAt,
      burst: route.routeClass === 'burst',
      secret,
    });
  }
  // Another try can mend these: a body that was cut off, the page of somebody in between.
  const broken = (message: string) =>
    new UpstreamError('serverError', message, {
      route: route.template,
      status,
      retryAtMs: answeredAt.atMs + BROKEN_WAIT_MS,
    });
  if (!isJson(headers)) throw broken('Postman, or what stands between, answered with something else than JSON.');
  try {
    const body: unknown = await inTurn(() => JSON.parse(text));
    return await inTurn(() => parse(body));
  } catch (error) {
    if (error instanceof UnexpectedShapeError)
      throw new UpstreamError('badResponse', `Postman's answer is not what this route answers with. ${error.message}`, {
        route: route.template,
        status,
        cause: error,
      });
    // Without the cause: its message quotes the body, which can be anything.
    if (error instanceof SyntaxError) throw broken("Postman's answer is not valid JSON: it may be cut off.");
    throw error;
  }
}

function isJson(headers: HttpAnswer['headers']): boolean {
  return /[/+]json\b/i.test(String(headers['content-type'] ?? '').slice(0, 200));
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Gateways answer errors in HTML or not at all; the status says enough.
    return text.slice(0, 2_000);
  }
}
