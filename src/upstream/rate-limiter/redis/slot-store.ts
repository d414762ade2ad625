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
import { EXCHANGE_SCRIPT } from './scripts/exchange-script.ts';
import { HEARTBEAT_SCRIPT } from './scripts/generation-script.ts';
import { KnownWaits, leaveStore, NO_WAITS, IGNORED_REPLY } from './leave.ts';

/** Options of `SlotStore`. */
export interface SlotStoreOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** Key of the HMAC that forms the names in Redis. */
  readonly secret: Secret;
  readonly withoutStore: WithoutStore;
  readonly limits: SlotLimits;
  /** Called when the store has been unreachable for two seconds (false), and when it replies again (true). */
  readonly onReach: (isReached: boolean, reason: string) => void;
}

// An exchange without a reply within this time has failed.
const TIMEOUT_MS = 250;
// An instance that has not had contact for this long sends a heartbeat.
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 500;
const STALE_MS = 1_000;
const LOG_AFTER_MS = 2_000;

/** Connection of this process to the slots in Redis, for all keys: exchanges, heartbeats, and whether Redis is up. */
export class SlotStore {
  readonly withoutStore: WithoutStore;
  /** Instances that had contact with the store within the last 15 s, this one included. */
  instances = 1;
  /** After this long every slot in use now is free again: one lease plus the longest configured window. */
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

  /** From this moment (monotonic ms) on, all slots that any instance got before the store was lost are free again. */
  localLimiterFromMs(): number {
    return this.#lastContactMs + HEARTBEAT_MS + this.closeMs;
  }

  /** Creates an id that is unique among all instances. */
  newId(): string {
    return `${this.#instance}.${(this.#nextId++).toString(36)}`;
  }

  /** Turns a user id or the key of a call into its name in the store: an HMAC of 43 characters. */
  toName(text: string): string {
    return createHmac('sha256', this.#options.secret.reveal()).update(text).digest('base64url');
  }

  /** Calls the function once, when the store replies again, if the reference still holds it then. */
  onceRecovered(run: Pick<WeakRef<() => void>, 'deref'>): void {
    this.#onceRecovered.add(run);
  }

  /** Sends changes of one name's slots and a request for slots. Exchanges arrive in the order they were made. */
  exchange(name: string, batch: SlotRequestBatch, { replied, failed }: ExchangeHandlers): void {
    if (!this.isUp()) return failed();
    const { clock, connection, limits } = this.#options;
    const { general, burst, reservedCalls, maxConcurrentCalls } = limits;
    const runId = connection.runId();
    const sentAtMs = clock.nowMs();
    if (batch.request) this.#waits.requested(name, sentAtMs);
    let isOver = false;
    const fail = (reason: string) => {
      if (isOver) return;
      isOver = true;
      stop();
      this.#lose(reason);
      failed();
    };
    const stop = clock.schedule(sentAtMs + TIMEOUT_MS, () => fail('it did not reply in time'));
    if (runId === undefined) return fail('there is no connection');
    const input = {
      ...batch,
      ...this.#toScriptCaller(runId, sentAtMs),
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
        reply = JSON.parse(await connection.run(EXCHANGE_SCRIPT, keysOf(name), JSON.stringify(input)));
      } catch (error) {
        return fail(toReason(error));
      }
      const atMs = this.#readReply(reply, sentAtMs);
      if ('isStale' in reply) return fail('it was stalled');
      if (isOver) return undefined;
      isOver = true;
      stop();
      if (batch.request) this.#waits.replied(name, batch.request, reply);
      return replied(reply, atMs);
    };
    void send();
  }

  /**
   * Signs this instance off: sends the remaining changes, withdraws its waiting calls, and leaves its part of the
   * limits to the other instances. Takes 250 ms at most.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    // Changes of this turn of the event loop have to be sent first.
    await nextRound();
    for (const name of this.#waits.names(this.#options.clock.nowMs())) this.exchange(name, NO_WAITS, IGNORED_REPLY);
    this.#isClosed = true;
    this.#stopTicking();
    if (this.#isUp) await leaveStore(this.#options, this.#instance, TIMEOUT_MS);
    this.#options.connection.close();
  }

  #toScriptCaller(runId: string, nowMs: number): ScriptCaller {
    return {
      instance: this.#instance,
      runId,
      generation: this.#generation,
      coldStart: this.#options.limits.coldStart,
      closeMs: this.closeMs,
      graceMs: HEARTBEAT_MS + 1_000,
      aliveMs: 3 * HEARTBEAT_MS,
      isReturning: this.#isNew || nowMs - this.#lastContactMs > this.closeMs,
      isNew: this.#isNew,
      hasJumped: this.#hasJumped,
      sentAtMs: this.#offset.toRedisMs(nowMs),
      staleMs: STALE_MS,
    };
  }

  /** Reads the part that all replies share. Returns when the script ran (monotonic ms). */
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

  /** Sends a heartbeat unless the last one is out. If Redis stalls, its late reply shows that it works again. */
  #beat(): void {
    if (this.#isBeating || this.#isClosed) return;
    const { connection, clock } = this.#options;
    const runId = connection.runId();
    if (runId === undefined) return this.#lose(this.#reason);
    this.#isBeating = true;
    const sentAtMs = clock.nowMs();
    const stop = clock.schedule(sentAtMs + TIMEOUT_MS, () => this.#lose('it did not reply in time'));
    const send = async () => {
      try {
        const reply: Heartbeat | StaleReply = JSON.parse(
          await connection.run(HEARTBEAT_SCRIPT, HEARTBEAT_KEYS, JSON.stringify(this.#toScriptCaller(runId, sentAtMs))),
        );
        this.#readReply(reply, sentAtMs);
      } catch (error) {
        this.#lose(toReason(error));
      }
      this.#isBeating = false;
      stop();
      // So late a reply does not count (see `#readReply`): only a new one shows what happened meanwhile.
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
    // Drops old names.
    this.#waits.names(nowMs);
    this.#stopTicking = clock.schedule(nowMs + RETRY_MS, () => this.#tick());
  }
}
