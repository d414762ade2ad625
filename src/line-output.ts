import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** Where lines of text go, whatever state it is in. */
export interface LineOutput {
  /** Writes text that ends with its line, or loses it. It neither throws nor waits. */
  write(line: string): void;
  /** Resolves once nothing waits to be written any more, after `timeoutMs` at the latest. */
  settle(timeoutMs: number): Promise<void>;
}

/** What waits for a reader of a pipe, a socket or a terminal, in characters; further lines are lost. */
const MAX_WAITING_CHARS = 1_048_576;

/**
 * Makes an output of stdout or stderr on which a full disk, a reader that has gone, or one that reads no more costs lines
 * and nothing else.
 *
 * @param stream - `process.stdout` or `process.stderr`; nobody else may write to it.
 * @param onRecovered - Is called with the number of lines lost since the start, when there are more than the last time and
 *   everything that waited has been written. It may write.
 */
export function createLineOutput(
  stream: Writable & { readonly fd: number },
  onRecovered: (lostLines: number) => void = () => undefined,
): LineOutput {
  let lostLines = 0;
  let reportedLines = 0;
  const lose = () => void lostLines++;
  const recover = () => {
    if (lostLines === reportedLines) return;
    reportedLines = lostLines;
    onRecovered(lostLines);
  };
  return stream instanceof Socket ? toSocketOutput(stream, lose, recover) : toFileOutput(stream.fd, lose, recover);
}

function toSocketOutput(stream: Socket, lose: () => void, recover: () => void): LineOutput {
  unblock(stream);
  // Each write says by itself whether it failed. Node does not destroy these streams, and a named pipe can get a new reader.
  stream.on('error', () => undefined);
  return {
    write(line) {
      if (stream.writableLength + line.length > MAX_WAITING_CHARS) return lose();
      stream.write(line, (error) => {
        if (error) lose();
        else if (stream.writableLength === 0) recover();
      });
    },
    settle: (timeoutMs) =>
      new Promise((resolve) => {
        // Writes end in their order.
        stream.write('', () => resolve());
        setTimeout(resolve, timeoutMs);
      }),
  };
}

/** Node writes to a terminal until it has taken everything: one that is paused (Ctrl-S) would hold up the whole process. */
function unblock(stream: Socket): void {
  const { _handle: handle } = stream as { _handle?: { setBlocking?(isBlocking: boolean): void } };
  if ('isTTY' in stream) handle?.setBlocking?.(false);
}

function toFileOutput(fd: number, lose: () => void, recover: () => void): LineOutput {
  let isTorn = false;
  return {
    write(line) {
      // A disk takes the part of a line for which it has room.
      const bytes = Buffer.from(isTorn ? `\n${line}` : line);
      let written = 0;
      try {
        written = writeSync(fd, bytes);
      } catch {
        // Whatever is wrong with it, there is no other place to say so.
      }
      if (written > 0) isTorn = written < bytes.length;
      if (written < bytes.length) lose();
      else recover();
    },
    settle: () => Promise.resolve(),
  };
}
