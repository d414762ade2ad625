import type { GraphQLSchema } from 'graphql';
import type { MaskError } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { SliceScheduler } from '../graph/limits/time-slices.ts';
import type { Calls } from '../upstream/calls/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import type { HeldResponses } from '../upstream/calls/operation/held-responses.ts';
import type { ClientAddressOf } from './http/client-address.ts';
import type { RequestRecords } from './operation/request-record.ts';
import type { RequestCaller } from './request-caller.ts';

/** What operations are served with. All of it lives as long as the process. */
export interface OperationOptions {
  readonly schema: GraphQLSchema;
  readonly config: Config;
  readonly calls: Calls;
  readonly heldResponses: HeldResponses;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findCaller: (request: Request) => RequestCaller | null;
  readonly clientAddressOf: ClientAddressOf;
  /** Masks the errors that nothing else sees before a client. */
  readonly maskError: MaskError;
}

/** The same, and what the plugins of operations share. */
export interface PluginParts extends OperationOptions {
  readonly records: RequestRecords;
  readonly slices: SliceScheduler;
}
