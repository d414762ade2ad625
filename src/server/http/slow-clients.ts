import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Stalls } from './stalls.ts';

/**
 * Cuts connections off that have been idle, or have taken nothing of their answer, for their time, unless that is not the client's doing.
 *
 * @param answersOf - The answers of each open connection, in the order of their requests.
 * @param stalledMs - How long a client may take nothing of an answer that has begun.
 * @returns Ends it.
 */
export function cutSlowClients(
  server: Server,
  answersOf: ReadonlyMap<Socket, ReadonlySet<ServerResponse>>,
  { stalls, stalledMs }: { readonly stalls: Stalls; readonly stalledMs: number },
): () => void {
  /** The answer that is being sent; those to requests that were sent ahead wait in any case. */
  const answerOn = (socket: Socket) => {
    const [answer] = answersOf.get(socket) ?? [];
    return answer;
  };
  const leftToTake = (socket: Socket) => Math.max(answerOn(socket)?.writableLength ?? 0, socket.writableLength);
  const judge = async (socket: Socket) => {
    const { bytesRead, timeout: periodMs = stalledMs } = socket;
    const answer = answerOn(socket);
    const left = leftToTake(socket);
    await nextRound();
    // Nothing to take is not the client's fault: the next part of an answer can be a minute away.
    const mayBeSlow = answer ? left > 0 && leftToTake(socket) === left : socket.bytesRead === bytesRead;
    if (answerOn(socket) !== answer) return;
    if (mayBeSlow && stalls.extraMs(periodMs) < periodMs / 2) socket.destroy();
    else if (mayBeSlow || answer) socket.setTimeout(periodMs);
  };
  // Comes before anything is read of what has arrived in the meantime.
  server.on('timeout', (socket: Socket) => void judge(socket));
  // Yoga turns it off where it answers with a stream.
  const watch = setInterval(() => {
    for (const [socket, answers] of answersOf)
      if (answers.size > 0 && socket.timeout === 0) socket.setTimeout(stalledMs);
  }, stalledMs);
  watch.unref();
  return () => clearInterval(watch);
}

/** Lets everything be read that has arrived: the first half of a round may have been over. */
export async function nextRound(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
