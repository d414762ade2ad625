import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** How a proxy handles a CONNECT: it connects to a loopback port, refuses with a status, or does not respond. */
export type ConnectReply = { readonly port: number } | { readonly status: number } | 'silence';

/** An HTTP proxy on loopback that supports only CONNECT. */
export interface ConnectProxy {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** Each CONNECT, with its host and port and its credentials. */
  readonly requests: { readonly target: string; readonly authorization: string | undefined }[];
  /** Requests with other methods. */
  readonly others: string[];
  close(): Promise<void>;
}

/** Starts a proxy that handles every CONNECT alike, or as a function of the target decides. */
export async function startConnectProxy(replyTo: (target: string) => ConnectReply): Promise<ConnectProxy> {
  const requests: ConnectProxy['requests'][number][] = [];
  const others: string[] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((request, response) => {
    others.push(`${request.method} ${request.url}`);
    response.writeHead(405).end();
  });
  server.on('connection', track);
  server.on('connect', ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    requests.push({ target: url, authorization: headers['proxy-authorization'] });
    const reply = replyTo(url);
    if (reply === 'silence') return;
    if ('status' in reply) {
      socket.end(`HTTP/1.1 ${reply.status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const upstream = connect(reply.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    track(upstream);
    socket.once('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    others,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
