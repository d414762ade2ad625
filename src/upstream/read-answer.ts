import type { Call, Route } from './call.ts';
import { toUpstreamError } from './classify.ts';
import type { Instant } from './clock.ts';
import type { HttpAnswer } from './http.ts';
import { UnexpectedShapeError } from './models.ts';
import { UpstreamError } from './upstream-error.ts';

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
    throw toUpstreamError({
      route: route.template,
      status,
      headers,
      body: parseJsonOrText(text),
      answeredAt,
      burst: route.routeClass === 'burst',
      secret,
    });
  }
  const unusable = (message: string, cause?: unknown) =>
    new UpstreamError('badResponse', message, { route: route.template, status, ...(cause !== undefined && { cause }) });
  const type = String(headers['content-type'] ?? '');
  if (!/[/+]json\b/i.test(type.slice(0, 200))) throw unusable('Postman answered with something else than JSON.');
  try {
    const body: unknown = await inTurn(() => JSON.parse(text));
    return await inTurn(() => parse(body));
  } catch (error) {
    if (error instanceof UnexpectedShapeError)
      throw unusable(`Postman's answer is not what this route answers with. ${error.message}`, error);
    // Without the cause: its message quotes the body, which can be anything.
    if (error instanceof SyntaxError) throw unusable("Postman's answer is not valid JSON.");
    throw error;
  }
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Gateways answer errors in HTML or not at all; the status says enough.
    return text.slice(0, 2_000);
  }
}
