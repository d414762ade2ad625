import { type CircuitBreaker, createCircuitBreaker, type Failure } from './circuit-breaker.ts';
import type { Clock } from '../clock.ts';

/** Which calls upstream no longer serves: `all`, or those of one `apiKey` while the calls of other keys succeed. */
export type OutageScope = 'all' | 'apiKey';

/** The circuit breakers of one origin: one for connections, which all tenants share, and one for each tenant whose calls fail. */
export interface CircuitBreakers {
  /**
   * Asks to make a call.
   *
   * @param key - Tells the call from all others.
   * @returns Monotonic ms at which to ask again; undefined: the call may be made, and then has to be settled by one of the functions below.
   */
  refuse(keyHash: string, key: string): number | undefined;
  /** A call that was allowed will not be made. */
  abandon(keyHash: string, key: string): void;
  /** Upstream has answered a tenant, whatever it said. */
  succeeded(keyHash: string): void;
  failed(keyHash: string, failure: Failure): void;
  isOpen(keyHash: string): boolean;
  /** Why a tenant's calls are refused, where that is not mended by waiting. */
  unreachable(keyHash: string): string | undefined;
}

interface Circuit {
  readonly breaker: CircuitBreaker;
  usedAtMs: number;
}

// What has not been asked about for so long says nothing any more.
const FORGET_MS = 60_000;
// The failures of one tenant can be those of its documents; of two, hardly.
const MIN_KEYS = 2;

/**
 * Makes the circuit breakers of one origin, all closed.
 *
 * Where no connection is made, nothing that was asked for can be the reason: such failures count together, whoever met them, and open the circuit of
 * everybody. All other failures (5XX, no answer in time, a connection that broke) can be those of the documents that were asked for, so they open
 * the circuit of their own tenant alone. When the circuits of two tenants are open and nobody is answered, upstream counts as down:
 * then the first failure of any other tenant opens its circuit. So nobody is refused for the failures of others alone.
 *
 * @param onChange - Is told when calls begin to be refused, and when they no longer are: of everybody (no tenant), or of one tenant.
 */
export function createCircuitBreakers(
  clock: Clock,
  onChange: (isOpen: boolean, keyHash?: string) => void,
): CircuitBreakers {
  const connections = createCircuitBreaker(clock, (isOpen) => onChange(isOpen), 'lastProbe');
  // The ones used least recently come first.
  const circuits = new Map<string, Circuit>();
  const open = new Set<string>();
  let isDown = false;

  const forgetUnused = (nowMs: number) => {
    for (const [keyHash, { usedAtMs }] of circuits) {
      if (nowMs - usedAtMs < FORGET_MS) return;
      circuits.delete(keyHash);
      open.delete(keyHash);
    }
  };

  const use = (keyHash: string, circuit: Circuit, nowMs: number) => {
    circuit.usedAtMs = nowMs;
    circuits.delete(keyHash);
    circuits.set(keyHash, circuit);
  };

  const create = (keyHash: string): Circuit => ({
    breaker: createCircuitBreaker(clock, (isOpen) => {
      if (isOpen) open.add(keyHash);
      else open.delete(keyHash);
      isDown = isOpen && open.size >= MIN_KEYS;
      onChange(isOpen, keyHash);
    }),
    usedAtMs: 0,
  });

  return {
    refuse(keyHash, key) {
      const nowMs = clock.nowMs();
      const unconnectedUntilMs = connections.refuse(keyHash);
      if (unconnectedUntilMs !== undefined) return unconnectedUntilMs;
      const circuit = circuits.get(keyHash);
      if (!circuit) return undefined;
      use(keyHash, circuit, nowMs);
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
      // What is asked for has nothing to do with it: a second call of a tenant is no better probe than its first.
      const shared = { ...failure, key: keyHash };
      if (failure.isConnectFailure) {
        connections.failed(shared);
        // It may have been let through to see whether its tenant is served again, and that has not been seen.
        circuits.get(keyHash)?.breaker.abandon(failure.key);
        return;
      }
      // Of a call without an answer nobody knows whether a connection was made for it.
      if (!failure.isTimeout) connections.succeeded();
      else if (connections.isOpen()) connections.failed(shared);
      const nowMs = clock.nowMs();
      forgetUnused(nowMs);
      const circuit = circuits.get(keyHash) ?? create(keyHash);
      use(keyHash, circuit, nowMs);
      circuit.breaker.failed(failure, isDown ? 1 : undefined);
    },

    unreachable: (keyHash) =>
      connections.isOpen() ? connections.unreachable() : circuits.get(keyHash)?.breaker.unreachable(),

    isOpen: (keyHash) => connections.isOpen() || (circuits.get(keyHash)?.breaker.isOpen() ?? false),
  };
}
