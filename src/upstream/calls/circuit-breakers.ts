import { type CircuitBreaker, createCircuitBreaker, type Failure } from './circuit-breaker.ts';
import type { Clock } from '../clock.ts';

/**
 * The circuit breakers of one origin: one for connections, which all API keys share, and one for each key whose calls
 * fail.
 */
export interface CircuitBreakers {
  /**
   * Asks whether a call must be refused.
   *
   * @param key - Identifies the call.
   * @returns When to try again (monotonic ms); undefined: the call may be made, and its end must be reported with
   *   `abandon`, `succeeded` or `failed`.
   */
  refuse(keyHash: string, key: string): number | undefined;
  /** Reports that an allowed call will not be made. */
  abandon(keyHash: string, key: string): void;
  /** Reports that upstream has responded to a call of this key, with whatever status. */
  succeeded(keyHash: string): void;
  /** Reports a failed call of this key. */
  failed(keyHash: string, failure: Failure): void;
  /** `ofAllKeys`: whether the circuit of connections is open; `ofOneKey`: how many keys have an open circuit. */
  openCircuits(): { readonly ofAllKeys: boolean; readonly ofOneKey: number };
  /** Whether calls of this key are refused, except for probes. */
  isOpen(keyHash: string): boolean;
  /**
   * Why calls of this key are refused, if upstream cannot be reached until someone changes something; otherwise
   * undefined.
   */
  unreachable(keyHash: string): string | undefined;
}

interface Circuit {
  readonly breaker: CircuitBreaker;
  usedAtMs: number;
}

// A circuit that no call has used for this long is out of date.
const FORGET_MS = 60_000;
// The objects that one key requests may all fail; those of two keys hardly ever do.
const MIN_KEYS = 2;

/**
 * Makes the circuit breakers of one origin, all closed.
 *
 * If no connection is made, the requested object cannot be the reason: such failures of all keys count together, and
 * open the circuit for all. All other failures (5XX, timeouts, broken connections) may be caused by the requested
 * objects, so they open only the circuit of their own key. When the circuits of two keys are open and no key gets a
 * response, upstream counts as down: the first failure of any other key then opens its circuit. So no key is refused
 * only because of the failures of others.
 *
 * @param onChange - Called with true when calls begin to be refused, and with false when that ends. `keyHash`: the key
 *   whose calls are meant; undefined: the calls of all keys.
 */
export function createCircuitBreakers(
  clock: Clock,
  onChange: (isOpen: boolean, keyHash?: string) => void,
): CircuitBreakers {
  const connections = createCircuitBreaker(clock, (isOpen) => onChange(isOpen), 'lastProbe');
  // By key hash, the least recently used first.
  const circuits = new Map<string, Circuit>();
  const openKeyHashes = new Set<string>();
  let isDown = false;

  const forgetUnused = (nowMs: number) => {
    for (const [keyHash, { usedAtMs }] of circuits) {
      if (nowMs - usedAtMs < FORGET_MS) return;
      circuits.delete(keyHash);
      openKeyHashes.delete(keyHash);
    }
  };

  const use = (keyHash: string, circuit: Circuit, nowMs: number) => {
    circuit.usedAtMs = nowMs;
    circuits.delete(keyHash);
    circuits.set(keyHash, circuit);
  };

  const create = (keyHash: string): Circuit => ({
    breaker: createCircuitBreaker(clock, (isOpen) => {
      if (isOpen) openKeyHashes.add(keyHash);
      else openKeyHashes.delete(keyHash);
      isDown = isOpen && openKeyHashes.size >= MIN_KEYS;
      onChange(isOpen, keyHash);
    }),
    usedAtMs: 0,
  });

  return {
    refuse(keyHash, key) {
      const unconnectedUntilMs = connections.refuse(keyHash);
      if (unconnectedUntilMs !== undefined) return unconnectedUntilMs;
      const circuit = circuits.get(keyHash);
      if (!circuit) return undefined;
      use(keyHash, circuit, clock.nowMs());
      const untilMs = circuit.breaker.refuse(key);
      if (untilMs !== undefined) connections.abandon(keyHash);
      return untilMs;
    },

    abandon(keyHash, key) {
      connections.abandon(keyHash);
      circuits.get(keyHash)?.breaker.abandon(key);
    },

    succeeded(keyHash) {
      isDown = false;
      connections.succeeded();
      const circuit = circuits.get(keyHash);
      if (!circuit) return;
      circuits.delete(keyHash);
      circuit.breaker.succeeded();
    },

    failed(keyHash, failure) {
      // For connections the requested object does not matter: a second call of a key is no better probe than its first.
      const connectionFailure = { ...failure, key: keyHash };
      if (failure.isConnectFailure) {
        connections.failed(connectionFailure);
        // The call may have been the probe of its key's circuit, and has not shown whether that key is served again.
        circuits.get(keyHash)?.breaker.abandon(failure.key);
        return;
      }
      // After a timeout it is unknown whether a connection was made.
      if (!failure.isTimeout) connections.succeeded();
      else if (connections.isOpen()) connections.failed(connectionFailure);
      const nowMs = clock.nowMs();
      forgetUnused(nowMs);
      const circuit = circuits.get(keyHash) ?? create(keyHash);
      use(keyHash, circuit, nowMs);
      circuit.breaker.failed(failure, isDown ? 1 : undefined);
    },

    unreachable: (keyHash) =>
      connections.isOpen() ? connections.unreachable() : circuits.get(keyHash)?.breaker.unreachable(),

    openCircuits: () => ({ ofAllKeys: connections.isOpen(), ofOneKey: openKeyHashes.size }),

    isOpen: (keyHash) => connections.isOpen() || (circuits.get(keyHash)?.breaker.isOpen() ?? false),
  };
}
