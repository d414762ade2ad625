import type { Clock } from './clock.ts';
import type { TakenSlots } from './rate-windows.ts';
import type { RouteClass } from './share.ts';
import type { Standing } from './waiting-line.ts';

/** What becomes of a call that was refused with a time, and comes back. */
export interface Claim {
  /** Where it would stand, had it waited. */
  readonly standing: Standing;
  /** Slots that are held for it. */
  readonly slots: TakenSlots | undefined;
}

/** What the turns of refused calls need of the budget. */
export interface PromisedTurnsOptions {
  readonly clock: Clock;
  /** Puts a turn in the line, to be told when it has come. Returns the way out. */
  readonly enqueue: (routeClass: RouteClass, standing: Standing, onTurn: () => void) => () => void;
  /** Starts what can be started now. */
  readonly pump: () => void;
  /** Takes the slots of a turn that has come; `share` is the part of all slots that may be held. undefined: too many are held. */
  readonly hold: (routeClass: RouteClass, share: number) => TakenSlots | undefined;
  /** Nobody has come for the slots. */
  readonly giveBack: (slots: TakenSlots) => void;
}

/**
 * Keeps the turns of calls that were refused with a time, so that the time is true: whoever comes back then is served as if it had waited.
 *
 * A refused call leaves its standing in the line. When its turn comes its slots are held for a moment, for the client to come back
 * in; afterwards only the standing is kept. Clients that do not come back cost budget: the fewer of them do, the fewer slots are held.
 */
export interface PromisedTurns {
  /** What is kept for a call, left where it is. `key` tells calls apart. */
  find(key: string): Claim | undefined;
  /** Takes what is kept for a call that has come back. */
  claim(key: string): Claim | undefined;
  /** Keeps a turn. Of more than a thousand the further ones are not kept. */
  keep(key: string, routeClass: RouteClass, standing: Standing, toldAtMs: number): void;
  /** Forgets all of them. */
  clear(): void;
  /** How many stand in the lines. */
  readonly inLine: number;
}

interface Turn {
  readonly routeClass: RouteClass;
  readonly standing: Standing;
  /** The time that was named. */
  readonly toldAtMs: number;
  slots?: TakenSlots | undefined;
  /** Ends whatever it waits for: its turn in the line, or a time. */
  stop: () => void;
  isInLine: boolean;
}

const MAX_TURNS = 1_000;
// Times are told in whole seconds, rounded up; then the request has to arrive.
const HOLD_MS = 2_000;
// Whoever comes later than that has thought of something else in between.
const KEEP_MS = 60_000;

/** Makes the promised turns of one key: none yet. */
export function createPromisedTurns({ clock, enqueue, pump, hold, giveBack }: PromisedTurnsOptions): PromisedTurns {
  const turns = new Map<string, Turn>();
  let inLine = 0;
  // How many of those who were promised a turn have come back, lately.
  let returning = 1;

  const count = (hasReturned: boolean) => {
    returning += ((hasReturned ? 1 : 0) - returning) / 8;
  };

  const leaveLine = (turn: Turn) => {
    if (turn.isInLine) inLine--;
    turn.isInLine = false;
  };

  const enterLine = (key: string, turn: Turn) => {
    inLine++;
    turn.isInLine = true;
    turn.stop = enqueue(turn.routeClass, turn.standing, () => {
      leaveLine(turn);
      onTurn(key, turn);
    });
    pump();
  };

  const onTurn = (key: string, turn: Turn) => {
    if (clock.nowMs() < turn.toldAtMs) {
      // Others have given up. The client will come when it was told to.
      turn.stop = clock.schedule(turn.toldAtMs, () => enterLine(key, turn));
      return;
    }
    turn.slots = hold(turn.routeClass, returning);
    turn.stop = clock.schedule(clock.nowMs() + HOLD_MS, () => {
      const { slots } = turn;
      turn.slots = undefined;
      count(false);
      turn.stop = clock.schedule(clock.nowMs() + KEEP_MS, () => turns.delete(key));
      if (slots) giveBack(slots);
    });
  };

  const remove = (key: string): Turn | undefined => {
    const turn = turns.get(key);
    if (!turn) return undefined;
    turns.delete(key);
    leaveLine(turn);
    turn.stop();
    return turn;
  };

  const toClaim = ({ standing, slots }: Turn): Claim => ({ standing, slots });

  return {
    get inLine() {
      return inLine;
    },
    find(key) {
      const turn = turns.get(key);
      return turn && toClaim(turn);
    },
    claim(key) {
      const turn = remove(key);
      if (turn && clock.nowMs() >= turn.toldAtMs) count(true);
      return turn && toClaim(turn);
    },
    keep(key, routeClass, standing, toldAtMs) {
      const known = remove(key);
      if (known?.slots) giveBack(known.slots);
      if (turns.size >= MAX_TURNS) return;
      const turn: Turn = {
        routeClass,
        standing: known?.standing ?? standing,
        toldAtMs,
        stop: () => {},
        isInLine: false,
      };
      turns.set(key, turn);
      enterLine(key, turn);
    },
    clear() {
      for (const key of [...turns.keys()]) {
        const slots = remove(key)?.slots;
        if (slots) giveBack(slots);
      }
    },
  };
}
