import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../http/secret.ts';
import { createChangeCipher } from './change-cipher.ts';
import type { ChangeMarks } from './change-marks.ts';
import { CHANGES_KEY, CHANGES_SCRIPT, type ChangesInput } from './changes-script.ts';

/** The log of changes that instances share. */
export interface ChangeLog {
  /** Sends a change to the other instances. While the store cannot be reached, it waits to be sent. */
  publish(subjects: readonly string[]): void;
  /** Whether this instance knows all changes but those of the last seconds. */
  isCurrent(): boolean;
  /** Sends nothing more, and reads nothing more. */
  close(): void;
}

/** What a log needs. */
export interface ChangeLogOptions {
  /** Runs a script in the store, and returns its reply. */
  readonly run: (script: string, keys: readonly string[], argument: string) => Promise<string>;
  /** Base64; the first seals records, each opens them. */
  readonly secrets: readonly [Secret, ...(Secret | undefined)[]];
  /** Get the changes of other instances. */
  readonly marks: Pick<ChangeMarks, 'mark'>;
  /** How long a change matters, in milliseconds: as long as responses are cached. */
  readonly relevantMs: number;
  readonly clock: Clock;
}

// How late other instances learn of a change.
const POLL_MS = 1_000;
const OUTDATED_MS = 3_000;
const MAX_RECORDS = 10_000;
// Of one exchange.
const MAX_COUNT = 500;

/** One record of the log, before it is encrypted. */
interface ChangeRecord {
  /** The instance that sends it. */
  readonly from: string;
  readonly subjects: readonly string[];
}

/**
 * Follows the log in the store, from the oldest change that matters on: one exchange a second, and one at once for each
 * change to publish.
 */
export function createChangeLog({ run, secrets, marks, relevantMs, clock }: ChangeLogOptions): ChangeLog {
  const instance = randomBytes(9).toString('base64url');
  const cipher = createChangeCipher(secrets);
  const unsent: string[] = [];
  let after = '';
  let readAtMs = Number.NEGATIVE_INFINITY;
  let isExchanging = false;
  let isClosed = false;
  let cancelPoll = () => {};

  const toRecord = (sealed: string): ChangeRecord | undefined => {
    const text = cipher.open(sealed);
    return text === undefined ? undefined : JSON.parse(text);
  };

  /** Returns how many records there were. */
  const take = (reply: string): number => {
    const receivedAtMs = clock.nowMs();
    const [first = '', ...lines] = reply.split('\n');
    const [now = '', existed] = first.split(' ');
    if (existed === '0') after = '';
    for (const line of lines) {
      const [id = '', sealed = ''] = line.split(' ');
      after = id;
      const record = toRecord(sealed);
      if (!record || record.from === instance) continue;
      // Rounded up: the reply was under way, and ids have whole milliseconds.
      const agoMs = Number(now) - Number(id.split('-', 1)[0]) - 1;
      marks.mark(record.subjects, receivedAtMs - Math.max(0, agoMs));
    }
    return lines.length;
  };

  const exchange = async (): Promise<void> => {
    if (isExchanging || isClosed) return;
    cancelPoll();
    isExchanging = true;
    const records = unsent.slice(0, MAX_COUNT);
    const sentAtMs = clock.nowMs();
    let isBehind = false;
    try {
      const input: ChangesInput = { after, records, relevantMs, maxRecords: MAX_RECORDS, count: MAX_COUNT };
      const count = take(await run(CHANGES_SCRIPT, [CHANGES_KEY], JSON.stringify(input)));
      unsent.splice(0, records.length);
      isBehind = count === MAX_COUNT || unsent.length > 0;
      if (count < MAX_COUNT) readAtMs = sentAtMs;
    } catch {
      // The limiter reports that the store cannot be reached. The next exchange sends and reads the same.
    }
    isExchanging = false;
    if (isBehind) void exchange();
    else if (!isClosed) cancelPoll = clock.schedule(clock.nowMs() + POLL_MS, () => void exchange());
  };
  void exchange();

  return {
    publish(subjects) {
      const record: ChangeRecord = { from: instance, subjects };
      unsent.push(cipher.seal(JSON.stringify(record)));
      if (unsent.length > MAX_RECORDS) unsent.shift();
      void exchange();
    },
    isCurrent: () => clock.nowMs() - readAtMs <= OUTDATED_MS,
    close() {
      isClosed = true;
      cancelPoll();
    },
  };
}
