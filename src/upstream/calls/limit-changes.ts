import type { SlotSource, SlotsSnapshot } from '../rate-limiter/slot-source.ts';
import type { ObservedLimit, UpstreamObserver } from '../observer.ts';

/** Reports when responses change the limits of budgets. */
export interface LimitChanges {
  /** To be called before a response is settled. */
  remember(slots: SlotSource): void;
  /** To be called after that. With slots in Redis, the next call reports the change. */
  report(slots: SlotSource, keyHash: string): void;
}

/** Makes the reports of all budgets. The limits of a budget at its first response count as known. */
export function createLimitChanges({ onLimitsLearned }: Pick<UpstreamObserver, 'onLimitsLearned'>): LimitChanges {
  const known = new WeakMap<SlotSource, readonly ObservedLimit[]>();
  return {
    remember(slots) {
      if (!known.has(slots)) known.set(slots, limitsOf(slots.view.snapshot()));
    },
    report(slots, keyHash) {
      const before = known.get(slots) ?? [];
      const after = limitsOf(slots.view.snapshot());
      if (areEqual(before, after)) return;
      known.set(slots, after);
      onLimitsLearned(keyHash, before, after);
    },
  };
}

function limitsOf({ limit, windowMs, burst, learned }: SlotsSnapshot): readonly ObservedLimit[] {
  return [{ limit, windowMs }, ...(burst ? [burst] : []), ...learned].map((window) => ({
    limit: window.limit,
    windowMs: window.windowMs,
  }));
}

function areEqual(before: readonly ObservedLimit[], after: readonly ObservedLimit[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ limit, windowMs }, index) => after[index]?.limit === limit && after[index].windowMs === windowMs)
  );
}
