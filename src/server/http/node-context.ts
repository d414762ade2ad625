import type { IncomingMessage, ServerResponse } from 'node:http';

/** The server context that Yoga gets with each request of Node's HTTP server. */
export interface NodeContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** As `toRequestId` returns it. */
  readonly requestId: string;
  /** The body, if it was read before Yoga got the request. */
  readonly body?: Buffer | undefined;
}

/** A request that carries the context with which Yoga is to serve it. */
export interface NodeRequest extends Request {
  readonly nodeContext?: NodeContext;
}
