import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Yoga is called with for each request of Node's HTTP server. */
export interface NodeContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}
