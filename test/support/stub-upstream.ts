import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream with responses chosen by the test, in shapes that the sandbox never sends. */
export interface StubUpstream {
  readonly origin: string;
  /** Bodies by path and query; other paths get a 404. */
  readonly bodies: Map<string, unknown>;
  /** Headers of every response. */
  headers: Readonly<Record<string, string>>;
  /** Request lines, in order of arrival. */
  readonly calls: string[];
  close(): void;
}

/** Starts a stub on loopback. */
export async function startStubUpstream(): Promise<StubUpstream> {
  const bodies = new Map<string, unknown>();
  const calls: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    calls.push(`GET ${url}`);
    const body = bodies.get(url) ?? { error: { name: 'instanceNotFoundError' } };
    response.writeHead(bodies.has(url) ? 200 : 404, { 'content-type': 'application/json', ...stub.headers });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stub: StubUpstream = {
    origin: `http://127.0.0.1:${port}`,
    bodies,
    headers: {},
    calls,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return stub;
}
