import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** An HTTP server on loopback that can go down and come back. */
export interface LoopbackServer {
  isListening(): boolean;
  /**
   * @param port - 0 picks a free one.
   * @returns The port, once it listens.
   * @throws {Error} When the port is taken.
   */
  listen(port: number): Promise<number>;
  /** Stops listening and drops all connections, including those whose response is pending. */
  goDown(): Promise<void>;
}

/** Creates a server that does not listen yet. */
export function createLoopbackServer(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): LoopbackServer {
  const server = createServer((request, response) => {
    // A call must end even if the account is so malformed that it cannot be served.
    serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
      response.end(String(error));
    });
  });
  // Longer than any client keeps an idle connection open, so that the server never closes one just as it is reused.
  server.keepAliveTimeout = 120_000;

  return {
    isListening: () => server.listening,
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : 0);
        });
      }),
    goDown: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
