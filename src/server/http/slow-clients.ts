import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Stalls } from './stalls.ts';

/**
 * Cuts connections off that have been idle, or have taken nothing of their answer, for their time, unless that is not the client's doing.
 *
 * @param responsesOf - The answers of each open connection, in the order of their requests.
 * @param stalledMs - How long a client may take nothing of an answer that has begun.
 * @returns Ends it.
 */
export function cutSlowClients(
  server: Server,
  responsesOf: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>,
  { stalls, stalledMs }: { readonly stalls: Stalls; readonly stalledMs: number },
): () => void {
  /** The answer that is being sent; those to requests that were sent ahead wait in any case. */
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
    // Nothing to take is not the client's fault: the next part of an answer can be a minute away.
    const mayBeSlow = response ? unsent > 0 && unsentBytes(socket) === unsent : socket.bytesRead === bytesRead;
    if (currentResponseOf(socket) !== response) return;
    if (mayBeSlow && stalls.extraMs(periodMs) < periodMs / 2) socket.destroy();
    else if (mayBeSlow || response) socket.setTimeout(periodMs);
  };
  // Comes before anything is read of what has arrived in the meantime.
  server.on('timeout', (socket: Socket) => void judge(socket));
  // Yoga turns it off where it answers with a stream.
  const watch = setInterval(() => {
    for (const [socket, responses] of responsesOf)
      if (responses.size > 0 && socket.timeout === 0) socket.setTimeout(stalledMs);
  }, stalledMs);
  watch.unref();
  return () => clearInterval(watch);
}

/** Lets everything be read that has arrived: the first half of a round may have been over. */
export async function nextRound(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
