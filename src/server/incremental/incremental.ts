/**
 * Incremental delivery. Exports `toDelivery`, which finds out whether an operation is delivered in parts, `mapParts`,
 * which maps the parts on their way to the client, and helpers for the errors of a part. The module maps parts of any
 * operation: it may not import plugins, `operation/`, `result/` or `http/`.
 */
import {
  type DirectiveNode,
  type GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentReader } from '../../graph/limits/document-reader.ts';
import type { Clock } from '../../upstream/clock.ts';
import { untilStopped } from '../../graph/limits/until-stopped.ts';
import type { StopSignal } from '../../upstream/stop.ts';

/** One part of an incremental response, as the executor makes it: in the format `deferSpec=20220824`. */
export interface ResultPart {
  /** Only the first part has it. */
  readonly data?: unknown;
  readonly errors?: readonly GraphQLError[];
  readonly incremental?: readonly ResultIncrement[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What one `@defer` or `@stream` adds to the result. */
export interface ResultIncrement {
  /** Of `@defer`; null if a field that cannot be null failed. */
  readonly data?: unknown;
  /** Of `@stream`; null likewise, and then the list ends. */
  readonly items?: readonly unknown[] | null;
  /** Leads to the object, or to the first of the items. */
  readonly path?: readonly (string | number)[];
  readonly label?: string;
  readonly errors?: readonly GraphQLError[];
}

// Proxies commonly close connections that are idle for 60 s. Send an empty part after every 15 s of silence.
const SILENCE_MS = 15_000;
const EMPTY_PART = { hasNext: true } as const;

/**
 * Finds out how the response to an operation is delivered, taking its variables into account (`@skip`, `@include`,
 * `if`).
 *
 * @returns `isIncremental`: in parts, because a `@defer` or `@stream` applies; `isStreamed`: a `@stream` applies.
 */
export function toDelivery({ selectionSet }: OperationDefinitionNode, reader: DocumentReader) {
  const visited = new Set<string>();
  let defers = false;
  let streams = false;
  const visit = (selections: readonly SelectionNode[]): void => {
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      for (const directive of selection.directives ?? []) {
        if (!applies(directive, reader)) continue;
        if (directive.name.value === 'defer') defers = true;
        if (directive.name.value === 'stream') streams = true;
      }
      const inside = selectionSetOf(selection, reader, visited);
      if (inside) visit(inside.selections);
    }
  };
  visit(selectionSet.selections);
  return { isIncremental: defers || streams, isStreamed: streams };
}

/**
 * Maps each part of an incremental response. It notices that the client has disconnected even while it waits for a
 * part. If a part takes longer than 15 s, it sends an empty one, so that proxies keep the connection open.
 *
 * @param map - If it returns a part with `hasNext: false`, that part is the last one, even if more would follow. If it
 *   returns undefined, nothing is sent for the part.
 * @param onFailure - Makes the last part after a failure. Throwing instead would break the connection without a reason.
 * @param onEnd - Called once, however the response ends.
 * @param stopped - Aborts when the next part must not be waited for any longer. Its reason is passed to `onFailure`.
 */
export function mapParts<Sent extends { readonly hasNext?: boolean }>(
  parts: AsyncIterable<ResultPart>,
  {
    map,
    onFailure,
    onEnd,
    stopped,
    clock,
  }: {
    readonly map: (part: ResultPart) => Sent | undefined;
    readonly onFailure: (error: unknown) => Sent;
    readonly onEnd: () => void;
    readonly stopped: StopSignal;
    readonly clock: Clock;
  },
): AsyncIterable<Sent | typeof EMPTY_PART> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = parts[Symbol.asyncIterator]();
      let awaited: Promise<IteratorResult<ResultPart>> | undefined;
      let isOver = false;
      const end = () => {
        if (!isOver) onEnd();
        isOver = true;
      };
      const nextPart = async (): Promise<IteratorResult<Sent | typeof EMPTY_PART>> => {
        for (;;) {
          awaited ??= untilStopped(iterator.next(), stopped);
          // oxlint-disable-next-line no-await-in-loop -- parts come one after the other.
          const next = await orSilence(awaited, clock);
          if (next === 'silence') return { done: false, value: EMPTY_PART };
          awaited = undefined;
          if (next.done === true) {
            end();
            return { done: true, value: undefined };
          }
          const value = map(next.value);
          if (value?.hasNext === false) end();
          if (value) return { done: false, value };
        }
      };
      return {
        async next() {
          if (isOver) return { done: true, value: undefined };
          try {
            return await nextPart();
          } catch (error) {
            const value = onFailure(error);
            end();
            return { done: false, value };
          }
        },
        async return() {
          // First, because the next part waits for the operation that this ends.
          end();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** All errors of a part, including those of its increments. */
export function errorsOf({ errors = [], incremental = [] }: ResultPart): readonly GraphQLError[] {
  return [...errors, ...incremental.flatMap((part) => part.errors ?? [])];
}

/** Maps the errors of a part's increments. Yoga has masked those of the part itself. */
export function mapIncrementErrors(part: ResultPart, map: (error: GraphQLError) => GraphQLError): ResultPart {
  if (!part.incremental) return part;
  return {
    ...part,
    incremental: part.incremental.map((increment) =>
      increment.errors ? { ...increment, errors: increment.errors.map(map) } : increment,
    ),
  };
}

/** Adds errors to the part itself, not to its increments. */
export function withErrors(part: ResultPart, errors: readonly GraphQLError[]): ResultPart {
  return errors.length === 0 ? part : { ...part, errors: [...(part.errors ?? []), ...errors] };
}

/**
 * Moves the errors of a later part to its last increment. The format of 2022 has no others in later parts: clients read
 * those beside increments only in the first part. A part without increments keeps its errors, which clients do read.
 */
export function withErrorsInIncrements(part: ResultPart): ResultPart {
  const { data, errors = [], incremental, ...rest } = part;
  const last = incremental?.at(-1);
  if (data !== undefined || errors.length === 0 || !incremental || !last) return part;
  return {
    ...rest,
    incremental: [...incremental.slice(0, -1), { ...last, errors: [...(last.errors ?? []), ...errors] }],
  };
}

async function orSilence<Value>(value: Promise<Value>, clock: Clock): Promise<Value | 'silence'> {
  let cancel = () => {};
  const silence = new Promise<'silence'>((resolve) => {
    cancel = clock.schedule(clock.nowMs() + SILENCE_MS, () => resolve('silence'));
  });
  return Promise.race([value, silence]).finally(cancel);
}

function applies({ arguments: args = [] }: DirectiveNode, { variables }: DocumentReader): boolean {
  const condition = args.find(({ name }) => name.value === 'if')?.value;
  if (condition?.kind === Kind.BOOLEAN) return condition.value;
  return condition?.kind === Kind.VARIABLE ? variables[condition.name.value] !== false : true;
}

function selectionSetOf(
  selection: SelectionNode,
  { fragments }: DocumentReader,
  visited: Set<string>,
): SelectionSetNode | undefined {
  if (selection.kind !== Kind.FRAGMENT_SPREAD) return selection.selectionSet;
  const { value: name } = selection.name;
  if (visited.has(name)) return undefined;
  visited.add(name);
  return fragments.get(name)?.selectionSet;
}
