import type { SlotSource } from '../rate-limiter/slot-source.ts';
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
      if (!known.has(slots)) known.set(slots, copy(slots.view.limits()));
    },
    report(slots, keyHash) {
      const before = known.get(slots) ?? [];
      const current = slots.view.limits();
      if (areEqual(before, current)) return;
      const after = copy(current);
      known.set(slots, after);
      onLimitsLearned(keyHash, before, after);
    },
  };
}

const copy = (limits: readonly ObservedLimit[]): readonly ObservedLimit[] =>
  limits.map(({ limit, windowMs }) => ({ limit, windowMs }));

function areEqual(before: readonly ObservedLimit[], after: readonly ObservedLimit[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ limit, windowMs }, index) => after[index]?.limit === limit && after[index].windowMs === windowMs)
  );
}
