import type { SpentRow } from '../../graph/context.ts';
import type { Clock } from '../../upstream/clock.ts';
import type { CallOrigin, CallResult, ObservedCall } from '../../upstream/observer.ts';

/** Counts for each API key which operations made its calls. */
export interface SpentCalls {
  /** Counts a call, unless it was not sent, or Postman rejected its key. */
  add(call: Pick<ObservedCall, 'keyHash' | 'origin'>, result: Pick<CallResult, 'error' | 'isConnectFailure'>): void;
  /** The calls of a key in the last hour: its 20 largest rows, largest first, and one for all others. */
  of(keyHash: string): readonly SpentRow[];
}

/** Calls in each slot of time, the current one included. */
interface Row {
  readonly origin: CallOrigin;
  readonly counts: number[];
  /** Number of the latest slot. */
  slot: number;
}

interface RowsOfKey {
  readonly rows: Map<string, Row>;
  /** Calls of rows that were dropped. */
  readonly others: Row;
}

/** What the row of all others has for a name. No operation can have this name. */
const OTHERS: CallOrigin = { operation: '(other)', client: '(other)' };
const UNKNOWN: CallOrigin = { operation: null, client: null };
const SLOT_MS = 300_000;
const SLOTS = 12;
const SHOWN_ROWS = 20;
// A row takes about 400 bytes.
const MAX_ROWS_PER_KEY = 100;
const MAX_ROWS = 10_000;

/**
 * Makes the counts, all zero. An hour is counted in slots of five minutes, so calls are forgotten after 55 to 60
 * minutes.
 *
 * A key has at most 100 rows: then the smallest is added to the others, so the sum stays right. All keys together have
 * at most 10,000: then the key that has made no call for longest is forgotten.
 */
export function createSpentCalls(clock: Pick<Clock, 'nowMs'>): SpentCalls {
  // Least recently used first.
  const keys = new Map<string, RowsOfKey>();
  // The origin of the last call: all calls of an operation have the same.
  let named: { readonly origin: CallOrigin; readonly name: string } | undefined;
  let rowCount = 0;
  const currentSlot = () => Math.floor(clock.nowMs() / SLOT_MS);

  const createRow = (origin: CallOrigin): Row => ({
    origin,
    counts: Array.from({ length: SLOTS }, () => 0),
    slot: currentSlot(),
  });

  /** Empties the slots that have passed since the row was last used. */
  const roll = (row: Row) => {
    const slot = currentSlot();
    for (let next = Math.max(row.slot, slot - SLOTS) + 1; next <= slot; next++) row.counts[next % SLOTS] = 0;
    row.slot = slot;
    return row;
  };
  const sumOf = (row: Row) => roll(row).counts.reduce((sum, count) => sum + count, 0);

  const removeSmallest = ({ rows, others }: RowsOfKey) => {
    let smallest: readonly [name: string, row: Row, sum: number] | undefined;
    for (const [name, row] of rows) {
      const sum = sumOf(row);
      if (!smallest || sum < smallest[2]) smallest = [name, row, sum];
    }
    if (!smallest) return;
    const [name, { counts }] = smallest;
    roll(others);
    for (const [index, count] of counts.entries()) others.counts[index] = (others.counts[index] ?? 0) + count;
    rows.delete(name);
    rowCount--;
  };

  const forgetOldest = () => {
    const [oldest] = keys;
    if (!oldest) return;
    keys.delete(oldest[0]);
    rowCount -= oldest[1].rows.size;
  };

  const nameOf = (origin: CallOrigin) => {
    if (named?.origin !== origin) named = { origin, name: JSON.stringify([origin.operation, origin.client]) };
    return named.name;
  };

  const rowOf = (ofKey: RowsOfKey, origin: CallOrigin): Row => {
    const name = nameOf(origin);
    const known = ofKey.rows.get(name);
    if (known) return known;
    if (ofKey.rows.size >= MAX_ROWS_PER_KEY) removeSmallest(ofKey);
    if (rowCount >= MAX_ROWS) forgetOldest();
    const row = createRow(origin);
    ofKey.rows.set(name, row);
    rowCount++;
    return row;
  };

  return {
    add({ keyHash, origin = UNKNOWN }, { error, isConnectFailure }) {
      if (isConnectFailure || error === 'unauthenticated') return;
      const ofKey = keys.get(keyHash) ?? { rows: new Map(), others: createRow(OTHERS) };
      keys.delete(keyHash);
      const row = roll(rowOf(ofKey, origin));
      keys.set(keyHash, ofKey);
      const index = row.slot % SLOTS;
      row.counts[index] = (row.counts[index] ?? 0) + 1;
    },
    of(keyHash) {
      const { rows, others } = keys.get(keyHash) ?? { rows: new Map<string, Row>(), others: createRow(OTHERS) };
      const all = [...rows.values()]
        .map((row) => ({ ...row.origin, calls: sumOf(row) }))
        .filter(({ calls }) => calls > 0)
        .sort((a, b) => b.calls - a.calls);
      const rest = all.slice(SHOWN_ROWS).reduce((sum, { calls }) => sum + calls, sumOf(others));
      return [...all.slice(0, SHOWN_ROWS), ...(rest > 0 ? [{ ...OTHERS, calls: rest }] : [])];
    },
  };
}
