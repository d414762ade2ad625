import { createRollingCount } from './rolling-count.ts';

/** Upstream's limits. They can change during a run. */
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
  /** Whether the program under test sent it. Others use the same key. */
  readonly isOurs: boolean;
  readonly sentAtMs: number;
  /** Calls within the general window, this one included: ours, and those of all clients. */
  readonly ours: number;
  readonly all: number;
  /** Our calls within the burst window. */
  readonly oursInBurst: number;
  readonly limit: number;
  readonly burstLimit: number;
  status: number;
}

/** Judges a run from upstream's side, the only one that counts. */
export interface Judge {
  /** Records an arrival, before upstream decides on its response. */
  arrive(arrival: Pick<Arrival, 'atMs' | 'user' | 'isBurst' | 'isOurs' | 'sentAtMs'>): Arrival;
  /** Number of our calls. */
  readonly calls: number;
  readonly foreignCalls: number;
  /** The newest arrivals; if something went wrong, the newest at that time. */
  readonly trace: readonly Arrival[];
  /** Freezes the trace at the first thing that goes wrong, so that it shows what led to it. */
  freezeTrace(): void;
  /** A hash of all arrivals. */
  readonly digest: string;
}

const TRACE_LENGTH = 80;

/** Creates the judge of one run. Served and refused arrivals count alike, against the `limits` at their arrival. */
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

/** Whether our calls alone exceed a window. */
export function isOver({ isBurst, ours, oursInBurst, limit, burstLimit }: Arrival): boolean {
  return ours > limit || (isBurst && oursInBurst > burstLimit);
}
