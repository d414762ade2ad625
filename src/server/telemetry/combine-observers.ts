import { silentObserver, type UpstreamObserver } from '../../upstream/observer.ts';

/** Makes one observer of several. They get each event in the order of the list. */
export function combineObservers(observers: readonly UpstreamObserver[]): UpstreamObserver {
  const [only] = observers;
  if (only && observers.length === 1) return only;
  const combined = Object.keys(silentObserver).map((name) => {
    const listeners = observers.map(
      (observer) => observer[name as keyof UpstreamObserver] as (...of: unknown[]) => void,
    );
    return [
      name,
      (...event: unknown[]) => {
        for (const listener of listeners) listener(...event);
      },
    ];
  });
  return Object.fromEntries(combined) as UpstreamObserver;
}
