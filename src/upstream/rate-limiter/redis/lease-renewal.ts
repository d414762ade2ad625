import type { Clock } from '../../clock.ts';
import { LEASE_MS } from './exchange.ts';

const RENEW_MS = LEASE_MS / 2;

/** From `start` to `stop`, extends leases each time half of a lease has passed. */
export class LeaseRenewal {
  readonly #clock: Clock;
  readonly #renew: () => void;
  #cancel: (() => void) | undefined;

  /** @param renew - Extends the leases of all calls in flight. */
  constructor(clock: Clock, renew: () => void) {
    this.#clock = clock;
    this.#renew = renew;
  }

  /** Does nothing if it has started already. */
  start(): void {
    this.#cancel ??= this.#clock.schedule(this.#clock.nowMs() + RENEW_MS, () => {
      this.#cancel = undefined;
      this.#renew();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
