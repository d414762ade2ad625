import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sendRefusal, toRefusalBody } from '../refusal.ts';

const UNREADABLE = { status: 400, reason: 'Bad Request', message: 'The request is not valid HTTP.' };
const REFUSALS: Readonly<Record<string, typeof UNREADABLE>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'Request Header Fields Too Large',
    message: 'The request line and the headers together are too large.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    reason: 'Payload Too Large',
    message: 'The extensions of a chunk are too large.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'Request Timeout',
    message: 'The request did not arrive completely in time.',
  },
};

/**
 * Gives a body to the refusals of Node's HTTP parser, which have none, in the form of all other refusals. The statuses
 * are Node's.
 *
 * @param responsesOf - The responses of each connection that have not ended.
 */
export function refuseMalformed(server: Server, responsesOf: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>): void {
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const { status, reason, message } = REFUSALS[error.code ?? ''] ?? UNREADABLE;
    // In the middle of a response, the bytes would be taken for its body.
    const isResponding = [...(responsesOf.get(socket) ?? [])].some(({ headersSent }) => headersSent);
    if (!socket.writable || isResponding || error.code === 'ECONNRESET') {
      socket.destroy(error);
      return;
    }
    const body = toRefusalBody({ status, code: 'BAD_REQUEST', message });
    const head = [
      `HTTP/1.1 ${status} ${reason}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${body.length}`,
      'X-Content-Type-Options: nosniff',
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.destroySoon();
  });
  server.on('checkExpectation', (_request, response) => {
    sendRefusal(response, { status: 417, code: 'BAD_REQUEST', message: 'The server does not support this Expect.' });
  });
}
