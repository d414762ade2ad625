import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Stalls } from './stalls.ts';

/**
 * Cuts off connections that have timed out, because they are idle or their client reads nothing of its response. It
 * spares those that timed out because this process stalled.
 *
 * @param responsesOf - The responses of each open connection, in the order of their requests.
 * @param stalledMs - How long a client may read nothing of a response that has begun.
 * @returns A function that ends this.
 */
export function cutSlowClients(
  server: Server,
  responsesOf: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>,
  { stalls, stalledMs }: { readonly stalls: Stalls; readonly stalledMs: number },
): () => void {
  /** The response that is being sent. Those to pipelined requests wait for it. */
  const currentResponseOf = (socket: Socket) => {
    const [response] = responsesOf.get(socket) ?? [];
    return response;
  };
  const unsentBytes = (socket: Socket) =>
    Math.max(currentResponseOf(socket)?.writableLength ?? 0, socket.writableLength);
  const judge = async (socket: Socket) => {
    const { bytesRead, timeout: periodMs = stalledMs } = socket;
    const response = currentResponseOf(socket);
    const unsent = unsentBytes(socket);
    await nextRound();
    // A client with nothing to read is not slow: the next part of a response can be a minute away.
    const mayBeSlow = response ? unsent > 0 && unsentBytes(socket) === unsent : socket.bytesRead === bytesRead;
    if (currentResponseOf(socket) !== response) return;
    if (mayBeSlow && stalls.extraMs(periodMs) < periodMs / 2) socket.destroy();
    else if (mayBeSlow || response) socket.setTimeout(periodMs);
  };
  // Node emits it before it reads the data that has arrived meanwhile, so `judge` waits for that.
  server.on('timeout', (socket: Socket) => void judge(socket));
  // Yoga turns the timeout off when it responds with a stream.
  const watch = setInterval(() => {
    for (const [socket, responses] of responsesOf)
      if (responses.size > 0 && socket.timeout === 0) socket.setTimeout(stalledMs);
  }, stalledMs);
  watch.unref();
  return () => clearInterval(watch);
}

/** Waits until everything that has arrived was read. One `setImmediate` may run before the poll phase of this round. */
export async function nextRound(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
