import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** An output for lines of text that never fails or blocks. */
export interface LineOutput {
  /** Writes a line, or loses it; never throws or waits. `line` ends with a line break. */
  write(line: string): void;
  /** Resolves when everything has been written, or after `timeoutMs`. */
  settle(timeoutMs: number): Promise<void>;
}

/** Most characters that wait for the reader of a pipe, a socket or a terminal. Further lines are lost. */
const MAX_WAITING_CHARS = 1_048_576;

/**
 * Makes an output to stdout or stderr. A full disk, a reader that has gone, or one that stopped reading costs lines,
 * but nothing else.
 *
 * @param stream - `process.stdout` or `process.stderr`; nothing else may write to it.
 * @param onRecovered - Called once everything that waited has been written, if lines were lost since its last call. It
 *   gets the number of lines lost since the start, and may write to this output.
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
  // Each write reports its own failure. Node does not destroy these streams, and a named pipe can get a new reader.
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
        // Writes finish in order, so this empty one finishes last.
        stream.write('', () => resolve());
        setTimeout(resolve, timeoutMs);
      }),
  };
}

/** Node writes to a terminal synchronously: one that is paused (Ctrl-S) would block the whole process. */
function unblock(stream: Socket): void {
  const { _handle: handle } = stream as { _handle?: { setBlocking?(isBlocking: boolean): void } };
  if ('isTTY' in stream) handle?.setBlocking?.(false);
}

function toFileOutput(fd: number, lose: () => void, recover: () => void): LineOutput {
  let isTorn = false;
  return {
    write(line) {
      // A nearly full disk may take only part of a line. The next write then starts with a line break.
      const bytes = Buffer.from(isTorn ? `\n${line}` : line);
      let written = 0;
      try {
        written = writeSync(fd, bytes);
      } catch {
        // There is nowhere else to report the failure.
      }
      if (written > 0) isTorn = written < bytes.length;
      if (written < bytes.length) lose();
      else recover();
    },
    settle: () => Promise.resolve(),
  };
}
