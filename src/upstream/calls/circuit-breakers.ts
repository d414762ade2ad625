import { type CircuitBreaker, createCircuitBreaker, type Failure } from './circuit-breaker.ts';
import type { Clock } from '../clock.ts';

/** Whom upstream serves no longer: everybody, or one tenant whose calls fail while those of others succeed. */
export type OutageScope = 'everybody' | 'tenant';

/** The circuit breakers of one origin: one for connections, which all tenants share, and one for each tenant whose calls fail. */
export interface CircuitBreakers {
  /**
   * Asks to make a call.
   *
   * @param key - Tells the call from all others.
   * @returns Monotonic ms at which to ask again; undefined: the call may be made, and then has to be settled by one of the functions below.
   */
  refuse(tenant: string, key: string): number | undefined;
  /** A call that was allowed will not be made. */
  abandon(tenant: string, key: string): void;
  /** Upstream has answered a tenant, whatever it said. */
  succeeded(tenant: string): void;
  failed(tenant: string, failure: Failure): void;
  isOpen(tenant: string): boolean;
  /** Why a tenant's calls are refused, where that is not mended by waiting. */
  unreachable(tenant: string): string | undefined;
}

interface Circuit {
  readonly breaker: CircuitBreaker;
  usedAtMs: number;
}

// What has not been asked about for so long says nothing any more.
const FORGET_MS = 60_000;
// The failures of one tenant can be those of its documents; of two, hardly.
const MIN_TENANTS = 2;

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
  onChange: (isOpen: boolean, tenant?: string) => void,
): CircuitBreakers {
  const connections = createCircuitBreaker(clock, (isOpen) => onChange(isOpen), 'lastProbe');
  // The ones used least recently come first.
  const circuits = new Map<string, Circuit>();
  const open = new Set<string>();
  let isDown = false;

  const forgetUnused = (nowMs: number) => {
    for (const [tenant, { usedAtMs }] of circuits) {
      if (nowMs - usedAtMs < FORGET_MS) return;
      circuits.delete(tenant);
      open.delete(tenant);
    }
  };

  const use = (tenant: string, circuit: Circuit, nowMs: number) => {
    circuit.usedAtMs = nowMs;
    circuits.delete(tenant);
    circuits.set(tenant, circuit);
  };

  const create = (tenant: string): Circuit => ({
    breaker: createCircuitBreaker(clock, (isOpen) => {
      if (isOpen) open.add(tenant);
      else open.delete(tenant);
      isDown = isOpen && open.size >= MIN_TENANTS;
      onChange(isOpen, tenant);
    }),
    usedAtMs: 0,
  });

  return {
    refuse(tenant, key) {
      const nowMs = clock.nowMs();
      const unconnectedUntilMs = connections.refuse(tenant);
      if (unconnectedUntilMs !== undefined) return unconnectedUntilMs;
      const circuit = circuits.get(tenant);
      if (!circuit) return undefined;
      use(tenant, circuit, nowMs);
      const untilMs = circuit.breaker.refuse(key);
      if (untilMs !== undefined) connections.abandon(tenant);
      return untilMs;
    },

    abandon(tenant, key) {
      connections.abandon(tenant);
      circuits.get(tenant)?.breaker.abandon(key);
    },

    succeeded(tenant) {
      isDown = false;
      connections.succeeded();
      const circuit = circuits.get(tenant);
      if (!circuit) return;
      circuits.delete(tenant);
      circuit.breaker.succeeded();
    },

    failed(tenant, failure) {
      // What is asked for has nothing to do with it: a second call of a tenant is no better probe than its first.
      const shared = { ...failure, key: tenant };
      if (failure.isConnectFailure) {
        connections.failed(shared);
        // It may have been let through to see whether its tenant is served again, and that has not been seen.
        circuits.get(tenant)?.breaker.abandon(failure.key);
        return;
      }
      // Of a call without an answer nobody knows whether a connection was made for it.
      if (!failure.isTimeout) connections.succeeded();
      else if (connections.isOpen()) connections.failed(shared);
      const nowMs = clock.nowMs();
      forgetUnused(nowMs);
      const circuit = circuits.get(tenant) ?? create(tenant);
      use(tenant, circuit, nowMs);
      circuit.breaker.failed(failure, isDown ? 1 : undefined);
    },

    unreachable: (tenant) =>
      connections.isOpen() ? connections.unreachable() : circuits.get(tenant)?.breaker.unreachable(),

    isOpen: (tenant) => connections.isOpen() || (circuits.get(tenant)?.breaker.isOpen() ?? false),
  };
}
