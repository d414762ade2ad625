import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import type { FetchAPI } from 'graphql-yoga';
import { Stop } from '../../../upstream/stop.ts';
import type { NodeContext } from '../node-context.ts';
import { readResponseBody } from './read-response-body.ts';

/** A server of fetch's requests and responses: Yoga. */
interface FetchServer {
  readonly fetchAPI: Pick<FetchAPI, 'Request'>;
  readonly handleRequest: (request: Request, context: NodeContext) => Promise<Response> | Response;
}

/**
 * Makes the function that has Yoga serve a request of Node's HTTP server, instead of Yoga's own adapter. That one makes
 * a proxy around an event target for each request, and sends headers one by one.
 *
 * @returns A function that resolves once the response has been handed to Node, or its client has disconnected. It
 *   rejects if Yoga fails.
 */
export function createServeRequest({ fetchAPI, handleRequest }: FetchServer) {
  const handle = handleRequest as (request: Request) => Promise<Response> | Response;
  return async (context: NodeContext): Promise<void> => {
    const { req, res, body } = context;
    const hasBody = req.method !== 'GET' && req.method !== 'HEAD';
    const init = {
      method: req.method,
      headers: req.headers,
      signal: watchClient(res),
      body: hasBody ? (body ?? req) : null,
      duplex: 'half',
    };
    // Yoga's Request takes the streams, headers and signals of Node as they are.
    const request = new fetchAPI.Request(toUrl(req), init as unknown as RequestInit);
    // As an argument, Yoga would make it the prototype of a new object, so that each request has a hidden class of its own.
    const response = await handle(Object.assign(request, { nodeContext: context }));
    // Only a response in parts, or one without a body, has no length.
    if (response.headers.has('content-length')) {
      sendWhole(response.status, response.headers, await readResponseBody(response), res);
      return;
    }
    // Yoga's event streams name it: Node would then keep a connection that the client or the stop of this server ends.
    response.headers.delete('connection');
    await sendNodeResponse(response, res, req, false);
  };
}

function toUrl({ headers: { host = 'localhost' }, url = '/' }: IncomingMessage): string {
  return `http://${host}${url}`;
}

/** Returns a signal that aborts when the client disconnects before the end of its response. */
function watchClient(response: ServerResponse): Stop {
  const gone = new Stop();
  const stop = () => {
    // Yoga takes only a DOMException for a disconnect. Any other error would be logged as one of this server.
    if (!response.writableFinished) gone.abort(new DOMException('The client has disconnected.', 'AbortError'));
  };
  // The client may have disconnected while the body was read.
  if (response.destroyed) stop();
  else response.once('close', stop);
  return gone;
}

function sendWhole(status: number, headers: Headers, body: Buffer, response: ServerResponse): void {
  if (response.destroyed || response.writableEnded) return;
  const fields: string[] = [];
  headers.forEach((value, name) => void fields.push(name, value));
  response.writeHead(status, fields).end(body);
}
