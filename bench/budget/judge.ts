import { createRollingCount } from './rolling-count.ts';

/** Upstream's limits; they can change while a run is under way. */
export interface Limits {
  general: number;
  readonly generalMs: number;
  burst: number;
  readonly burstMs: number;
}

/** One call as it reached upstream. */
export interface Arrival {
  readonly atMs: number;
  readonly user: string;
  readonly isBurst: boolean;
  /** Sent by the program under test; others use the same key. */
  readonly isOurs: boolean;
  readonly sentAtMs: number;
  /** Of ours within the general window, with this one; and of everybody. */
  readonly ours: number;
  readonly all: number;
  /** Of ours within the burst window. */
  readonly oursInBurst: number;
  readonly limit: number;
  readonly burstLimit: number;
  status: number;
}

/** What is seen from upstream's side, which is all that counts. */
export interface Judge {
  /** Records an arrival, before it is decided how it is answered. */
  arrive(arrival: Pick<Arrival, 'atMs' | 'user' | 'isBurst' | 'isOurs' | 'sentAtMs'>): Arrival;
  /** Calls of ours. */
  readonly calls: number;
  readonly foreignCalls: number;
  /** The newest arrivals, or those that were the newest when they were kept. */
  readonly trace: readonly Arrival[];
  /** Something has gone wrong: what led to it is to be seen in the trace. */
  freezeTrace(): void;
  /** Equal for equal arrivals, and practically only for them. */
  readonly digest: string;
}

const TRACE_LENGTH = 80;

/** Makes a judge for one run. Every arrival counts, answered or refused, and `limits` are those of the moment of arrival. */
export function createJudge(limits: Limits): Judge {
  const users = new Map<string, ReturnType<typeof createCounts>>();
  const trace: Arrival[] = [];
  const bytes = new DataView(new ArrayBuffer(8));
  let digest = 0x811c9dc5;
  let isTraceFrozen = false;
  let calls = 0;
  let foreignCalls = 0;

  const createCounts = () => ({
    ours: createRollingCount(limits.generalMs),
    all: createRollingCount(limits.generalMs),
    oursInBurst: createRollingCount(limits.burstMs),
  });

  const mix = (value: number) => {
    bytes.setFloat64(0, value);
    digest = Math.imul(digest ^ bytes.getUint32(0), 0x01000193);
    digest = Math.imul(digest ^ bytes.getUint32(4), 0x01000193);
    digest ^= digest >>> 15;
  };

  return {
    arrive({ atMs, user, isBurst, isOurs, sentAtMs }) {
      let counts = users.get(user);
      if (!counts) users.set(user, (counts = createCounts()));
      counts.all.add(atMs);
      if (isOurs) {
        counts.ours.add(atMs);
        if (isBurst) counts.oursInBurst.add(atMs);
        calls++;
      } else foreignCalls++;
      const arrival: Arrival = {
        atMs,
        user,
        isBurst,
        isOurs,
        sentAtMs,
        ours: counts.ours.count(atMs),
        all: counts.all.count(atMs),
        oursInBurst: counts.oursInBurst.count(atMs),
        limit: limits.general,
        burstLimit: limits.burst,
        status: 0,
      };
      mix(atMs + (isBurst ? 0.25 : 0) + (isOurs ? 0.125 : 0));
      for (let index = 0; index < user.length; index++) mix(user.charCodeAt(index));
      if (!isTraceFrozen) {
        trace.push(arrival);
        if (trace.length > TRACE_LENGTH) trace.shift();
      }
      return arrival;
    },
    get calls() {
      return calls;
    },
    get foreignCalls() {
      return foreignCalls;
    },
    trace,
    freezeTrace() {
      isTraceFrozen = true;
    },
    get digest() {
      return (digest >>> 0).toString(16).padStart(8, '0');
    },
  };
}

/** Whether our own calls alone are more than a window allows. */
export function isOver({ isBurst, ours, oursInBurst, limit, burstLimit }: Arrival): boolean {
  return ours > limit || (isBurst && oursInBurst > burstLimit);
}
