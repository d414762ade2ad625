import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * A response with the headers that every response has, besides those that `writeHead` gets.
 *
 * With `setHeader`, Node would merge two sets of headers, and check and copy each one twice.
 */
export class DefaultHeadersResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** `X-Request-Id`; undefined: the response has none. To be set before `writeHead` is called. */
  requestId: string | undefined;

  /**
   * Sends the status and headers, as Node's method does.
   *
   * @param rest - The fastest form of headers is a list of names and values in turn. It is changed.
   */
  override writeHead(status: number, ...rest: [(string | Fields)?, Fields?]): this {
    const fields = rest.at(-1);
    if (Array.isArray(fields)) {
      fields.push('X-Content-Type-Options', 'nosniff');
      if (this.requestId !== undefined) fields.push('X-Request-Id', this.requestId);
    } else {
      this.setHeader('X-Content-Type-Options', 'nosniff');
      if (this.requestId !== undefined) this.setHeader('X-Request-Id', this.requestId);
    }
    return super.writeHead(status, ...(rest as [Fields?]));
  }
}
