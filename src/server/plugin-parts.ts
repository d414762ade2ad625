/**
 * What the server passes to the plugins in `plugins/` and to `operation/`. Exports types only. It names no plugin, and
 * neither `create-upstream.ts` nor `shared-slots.ts`: plugins get calls and slots through it, and must not know how
 * these are made.
 */
import type { GraphQLSchema } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { SliceScheduler } from '../graph/limits/time-slices.ts';
import type { CachedResults } from '../upstream/cache/cached-results.ts';
import type { Calls } from '../upstream/calls/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import type { HeldResponses } from '../upstream/calls/operation/held-responses.ts';
import type { ClientAddressOf } from './http/client-address.ts';
import type { OperationObserver } from './operation/operation-observer.ts';
import type { SpentCalls } from './operation/spent-calls.ts';
import type { RefusalReasons } from './http/refusal.ts';
import type { OpenTrace } from './operation/operation-trace.ts';
import type { OperationRecords, RequestRecords } from './operation/request-record.ts';
import type { RequestCaller } from './request-caller.ts';
import type { SampledLog } from './telemetry/sampled-log.ts';

/** Parts for serving operations. All of them live as long as the process. */
export interface OperationOptions {
  readonly schema: GraphQLSchema;
  readonly config: Config;
  readonly calls: Calls;
  readonly cache: CachedResults;
  readonly heldResponses: HeldResponses;
  readonly spentCalls: SpentCalls;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findCaller: (apiKeyHeader: string | null) => RequestCaller | null;
  readonly clientAddressOf: ClientAddressOf;
  /** For errors that Yoga does not mask itself, such as those of increments. */
  readonly maskError: MaskError;
  /** Default: nobody observes. */
  readonly observer?: OperationObserver | undefined;
  /** Filled by the plugins: upstream's observers find the request of an operation in it. */
  readonly operationRecords: OperationRecords;
  /** Undefined: operations are not traced. */
  readonly openTrace: OpenTrace | undefined;
  /** Logs requests that are refused before they are read. */
  readonly logRefusal: SampledLog;
  readonly refusalReasons: RefusalReasons;
}

/** The same, with the state that the plugins of operations share. */
export interface PluginParts extends OperationOptions {
  readonly records: RequestRecords;
  readonly slices: SliceScheduler;
}
