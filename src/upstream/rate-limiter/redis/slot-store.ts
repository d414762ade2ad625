import { createHmac, randomBytes } from 'node:crypto';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../http/secret.ts';
import { createClockOffset } from './clock-offset.ts';
import {
  type ScriptCaller,
  type ExchangeHandlers,
  type Heartbeat,
  HEARTBEAT_KEYS,
  keysOf,
  LEASE_MS,
  type SlotLimits,
  type SlotRequestBatch,
  type StaleReply,
  type StoredSlots,
  type WithoutStore,
  YIELD_MS,
} from './exchange.ts';
import { type RedisConnection, toReason } from './redis-connection.ts';
import { EXCHANGE_SCRIPT } from './exchange-script.ts';
import { HEARTBEAT_SCRIPT } from './generation-script.ts';
import { KnownWaits, leaveStore, NO_WAITS, IGNORED_REPLY } from './leave.ts';

/** What the store of an instance is made with. */
export interface SlotStoreOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** The secret that names in Redis are made under. */
  readonly secret: Secret;
  readonly withoutStore: WithoutStore;
  readonly limits: SlotLimits;
  /** Is told when the store has not been reached for two seconds (false), and when it is there again. */
  readonly onReach: (isReached: boolean, reason: string) => void;
}

// Without an answer for this long an exchange has failed.
const TIMEOUT_MS = 250;
// An instance that has said nothing for this long sends a heartbeat.
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 500;
const STALE_MS = 1_000;
const LOG_AFTER_MS = 2_000;

/** The store of slots that several instances share, as one of them sees it. */
export class SlotStore {
  readonly withoutStore: WithoutStore;
  /** Instances that were there lately, this one included. */
  instances = 1;
  /** After this long nothing is in use of what anybody had at the beginning. */
  readonly closeMs: number;
  readonly #options: SlotStoreOptions;
  readonly #instance = randomBytes(6).toString('base64url');
  readonly #offset = createClockOffset();
  readonly #onceRecovered = new Set<Pick<WeakRef<() => void>, 'deref'>>();
  readonly #waits = new KnownWaits();
  #stopTicking = () => {};
  #nextId = 0;
  #generation = '';
  #isUp = false;
  #isNew = true;
  #isBeating = false;
  #isClosed = false;
  #lostAtMs: number;
  #lastContactMs: number;
  #reason = 'there has been no connection yet';
  #isLossReported = false;
  #roundTripMs = 0;
  #hasJumped = false;

  constructor(options: SlotStoreOptions) {
    this.#options = options;
    this.withoutStore = options.withoutStore;
    this.closeMs = LEASE_MS + Math.max(options.limits.general.windowMs, options.limits.burst?.windowMs ?? 0);
    this.#lostAtMs = this.#lastContactMs = options.clock.nowMs();
    options.connection.onConnected(() => this.#beat());
    this.#tick();
  }

  readonly isUp = (): boolean => this.#isUp && !this.#isClosed;

  /** From when (monotonic ms) on everything that any instance can have used before the store was lost has come back. */
  localLimiterFromMs(): number {
    return this.#lastContactMs + HEARTBEAT_MS + this.closeMs;
  }

  /** An id that no other slot has. */
  newId(): string {
    return `${this.#instance}.${(this.#nextId++).toString(36)}`;
  }

  /** Names a tenant, a user or a call in the store, without giving it away: 43 characters. */
  toName(text: string): string {
    return createHmac('sha256', this.#options.secret.reveal()).update(text).digest('base64url');
  }

  /** Calls what is there of it once, when the store is reached again. */
  onceRecovered(run: Pick<WeakRef<() => void>, 'deref'>): void {
    this.#onceRecovered.add(run);
  }

  /** Waits until Redis has replied to this instance, for `timeoutMs` at most. Never rejects. */
  async waitUntilUp(timeoutMs: number): Promise<void> {
    if (this.isUp()) return;
    const { clock } = this.#options;
    let stop = () => {};
    let resolveUp = () => {};
    const up = new Promise<void>((resolve) => (resolveUp = resolve));
    const run = { deref: () => resolveUp };
    const timedOut = new Promise<void>((resolve) => {
      stop = clock.schedule(clock.nowMs() + timeoutMs, resolve);
    });
    this.onceRecovered(run);
    await Promise.race([up, timedOut]);
    this.#onceRecovered.delete(run);
    stop();
  }

  /** Changes the slots of a budget, and asks for some. Requests arrive in the order they were made. */
  exchange(name: string, batch: SlotRequestBatch, { replied, failed }: ExchangeHandlers): void {
    if (!this.isUp()) return failed();
    const { clock, connection, limits } = this.#options;
    const { general, burst, reservedCalls, maxConcurrentCalls } = limits;
    const run = connection.runId();
    const sentAtMs = clock.nowMs();
    if (batch.ask) this.#waits.requested(name, sentAtMs);
    let isOver = false;
    const fail = (reason: string) => {
      if (isOver) return;
      isOver = true;
      stop();
      this.#lose(reason);
      failed();
    };
    const stop = clock.schedule(sentAtMs + TIMEOUT_MS, () => fail('it did not answer in time'));
    if (run === undefined) return fail('there is no connection');
    const request = {
      ...batch,
      ...this.#toScriptCaller(run, sentAtMs),
      general,
      burst,
      reservedCalls,
      maxConcurrentCalls,
      leaseMs: LEASE_MS,
      yieldMs: YIELD_MS + 2 * this.#roundTripMs,
    };
    const send = async () => {
      let reply: StoredSlots | StaleReply;
      try {
        reply = JSON.parse(await connection.run(EXCHANGE_SCRIPT, keysOf(name), JSON.stringify(request)));
      } catch (error) {
        return fail(toReason(error));
      }
      const atMs = this.#readReply(reply, sentAtMs);
      if ('isStale' in reply) return fail('it stood still');
      if (isOver) return undefined;
      isOver = true;
      stop();
      if (batch.ask) this.#waits.replied(name, batch.ask, reply);
      return replied(reply, atMs);
    };
    void send();
  }

  /**
   * Takes leave: what has been settled is told, nothing yields to this instance any more, and its part of the limits is the others'. It takes no
   * longer than one answer may.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    // What has been settled in this round of the event loop is sent before.
    await nextRound();
    for (const name of this.#waits.names(this.#options.clock.nowMs())) this.exchange(name, NO_WAITS, IGNORED_REPLY);
    this.#isClosed = true;
    this.#stopTicking();
    if (this.#isUp) await leaveStore(this.#options, this.#instance, TIMEOUT_MS);
    this.#options.connection.close();
  }

  #toScriptCaller(run: string, nowMs: number): ScriptCaller {
    return {
      instance: this.#instance,
      run,
      generation: this.#generation,
      coldStart: this.#options.limits.coldStart,
      closeMs: this.closeMs,
      graceMs: HEARTBEAT_MS + 1_000,
      seenMs: 3 * HEARTBEAT_MS,
      isBack: this.#isNew || nowMs - this.#lastContactMs > this.closeMs,
      isNew: this.#isNew,
      hasJumped: this.#hasJumped,
      sentAtMs: this.#offset.toRedisMs(nowMs),
      staleMs: STALE_MS,
    };
  }

  /** Notes what every answer says. Returns when it was given (monotonic ms). */
  #readReply(reply: StoredSlots | Heartbeat | StaleReply, sentAtMs: number): number {
    const nowMs = this.#options.clock.nowMs();
    const { atMs, hasJumped } = this.#offset.read(Number(reply.now), sentAtMs, nowMs);
    this.#hasJumped ||= hasJumped;
    if ('isStale' in reply || nowMs - sentAtMs > STALE_MS) return atMs;
    this.#hasJumped = hasJumped;
    this.#generation = reply.generation;
    this.instances = Math.max(1, reply.instances);
    this.#roundTripMs += (nowMs - sentAtMs - this.#roundTripMs) / 8;
    this.#lastContactMs = Math.max(this.#lastContactMs, sentAtMs);
    this.#isNew = false;
    if (!this.#isUp) this.#recover();
    return atMs;
  }

  #recover(): void {
    this.#isUp = true;
    if (this.#isLossReported) this.#options.onReach(true, '');
    this.#isLossReported = false;
    const waiting = [...this.#onceRecovered];
    this.#onceRecovered.clear();
    for (const one of waiting) one.deref()?.();
  }

  #lose(reason: string): void {
    this.#reason = reason;
    if (this.#isUp) this.#lostAtMs = this.#options.clock.nowMs();
    this.#isUp = false;
  }

  /** One at a time: where the store hangs, its answer is what tells that it is back. */
  #beat(): void {
    if (this.#isBeating || this.#isClosed) return;
    const { connection, clock } = this.#options;
    const run = connection.runId();
    if (run === undefined) return this.#lose(this.#reason);
    this.#isBeating = true;
    const sentAtMs = clock.nowMs();
    const stop = clock.schedule(sentAtMs + TIMEOUT_MS, () => this.#lose('it did not answer in time'));
    const send = async () => {
      try {
        const reply: Heartbeat | StaleReply = JSON.parse(
          await connection.run(HEARTBEAT_SCRIPT, HEARTBEAT_KEYS, JSON.stringify(this.#toScriptCaller(run, sentAtMs))),
        );
        this.#readReply(reply, sentAtMs);
      } catch (error) {
        this.#lose(toReason(error));
      }
      this.#isBeating = false;
      stop();
      // It was asked before it stood still: what has happened meanwhile is in the next one.
      if (!this.#isUp && clock.nowMs() - sentAtMs > STALE_MS) this.#beat();
    };
    void send();
  }

  #tick(): void {
    if (this.#isClosed) return;
    const { clock, onReach } = this.#options;
    const nowMs = clock.nowMs();
    if (!this.#isUp || nowMs >= this.#lastContactMs + HEARTBEAT_MS) this.#beat();
    if (!this.#isUp && !this.#isLossReported && nowMs >= this.#lostAtMs + LOG_AFTER_MS) {
      this.#isLossReported = true;
      onReach(false, this.#reason);
    }
    this.#waits.names(nowMs);
    this.#stopTicking = clock.schedule(nowMs + RETRY_MS, () => this.#tick());
  }
}
