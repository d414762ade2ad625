import type { Clock } from '../../clock.ts';
import type { SlotStore } from './slot-store.ts';

/** Waits until Redis has replied to this instance, for `timeoutMs` at most. Never rejects. */
export async function waitForFirstReply(
  store: Pick<SlotStore, 'isUp' | 'onceRecovered'>,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  if (store.isUp()) return;
  let stop = () => {};
  await new Promise<void>((resolve) => {
    let isOver = false;
    const end = () => {
      isOver = true;
      resolve();
    };
    store.onceRecovered({ deref: () => (isOver ? undefined : end) });
    stop = clock.schedule(clock.nowMs() + timeoutMs, end);
  });
  stop();
}
