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
import { untilStopped } from './until-stopped.ts';

/** One part of an answer that is delivered incrementally, in the format of graphql-yoga (GraphQL's draft of 24 August 2022). */
export interface ResultPart {
  readonly errors?: readonly GraphQLError[];
  readonly incremental?: readonly { readonly errors?: readonly GraphQLError[] }[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

// A quarter of the minute after which proxies, and what else stands between, cut connections on which nothing comes.
const SILENCE_MS = 15_000;
const PART_TYPES = ['multipart/', 'text/event-stream', 'text/*', '*/*'];
const STILL_THERE: ResultPart = { hasNext: true };

/**
 * Finds out how a document wants its answer, as it would be executed: by the operation and the variables that it is sent with.
 *
 * @returns Whether in parts, because it has a `@defer` or `@stream`; and whether some of the parts are rows of a list.
 */
export function toDelivery({ selectionSet }: OperationDefinitionNode, reader: DocumentReader) {
  const visited = new Set<string>();
  let defers = false;
  let streams = false;
  const look = (selections: readonly SelectionNode[]): void => {
    for (const selection of selections) {
      if (reader.isLeftOut(selection)) continue;
      for (const directive of selection.directives ?? []) {
        if (!isOn(directive, reader)) continue;
        if (directive.name.value === 'defer') defers = true;
        if (directive.name.value === 'stream') streams = true;
      }
      const inside = setOf(selection, reader, visited);
      if (inside) look(inside.selections);
    }
  };
  look(selectionSet.selections);
  return { isIncremental: defers || streams, isStreamed: streams };
}

/** Whether a client takes an answer in parts, by its `Accept` header. */
export function takesParts(accept: string | null): boolean {
  return accept === null || PART_TYPES.some((type) => accept.toLowerCase().includes(type));
}

/**
 * Has every part pass through a function, and whoever stops listening be noticed at once, also while the next part is awaited. Where that takes
 * long, parts with nothing in them show that there are more to come.
 *
 * @param map - A part that it gives without anything next is the last, whatever else would come.
 * @param onFailure - Makes the last part where there are no more to be had: an error instead of it would break the connection, and tell nobody why.
 * @param onEnd - Is called at the end, whichever it is, once.
 * @param stopped - Aborts when no more parts are to be waited for; its reason is the failure then.
 */
export function mapParts(
  parts: AsyncIterable<ResultPart>,
  {
    map,
    onFailure,
    onEnd,
    stopped,
    clock,
  }: {
    readonly map: (part: ResultPart) => ResultPart;
    readonly onFailure: (error: unknown) => ResultPart;
    readonly onEnd: () => void;
    readonly stopped: AbortSignal;
    readonly clock: Clock;
  },
): AsyncIterable<ResultPart> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = parts[Symbol.asyncIterator]();
      let awaited: Promise<IteratorResult<ResultPart>> | undefined;
      let isOver = false;
      const end = () => {
        if (!isOver) onEnd();
        isOver = true;
      };
      return {
        async next() {
          if (isOver) return { done: true, value: undefined };
          try {
            awaited ??= untilStopped(iterator.next(), stopped);
            const next = await orSilence(awaited, clock);
            if (next === 'silence') return { done: false, value: STILL_THERE };
            awaited = undefined;
            const value = next.done === true ? undefined : map(next.value);
            if (!value || value.hasNext === false) end();
            return value ? { done: false, value } : { done: true, value: undefined };
          } catch (error) {
            const value = onFailure(error);
            end();
            return { done: false, value };
          }
        },
        async return() {
          // First: what the next part waits for ends with it.
          end();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Every error of a part, wherever it stands. */
export function errorsOf({ errors = [], incremental = [] }: ResultPart): readonly GraphQLError[] {
  return [...errors, ...incremental.flatMap((part) => part.errors ?? [])];
}

/** Replaces the errors inside the increments of a part; those of the part itself have been seen to. */
export function mapIncrementErrors(part: ResultPart, map: (error: GraphQLError) => GraphQLError): ResultPart {
  if (!part.incremental) return part;
  return {
    ...part,
    incremental: part.incremental.map((increment) =>
      increment.errors ? { ...increment, errors: increment.errors.map(map) } : increment,
    ),
  };
}

/** Adds errors to a part that are not of one of its increments. */
export function withErrors(part: ResultPart, errors: readonly GraphQLError[]): ResultPart {
  return errors.length === 0 ? part : { ...part, errors: [...(part.errors ?? []), ...errors] };
}

async function orSilence<Value>(value: Promise<Value>, clock: Clock): Promise<Value | 'silence'> {
  let cancel = () => {};
  const silence = new Promise<'silence'>((resolve) => {
    cancel = clock.schedule(clock.nowMs() + SILENCE_MS, () => resolve('silence'));
  });
  return Promise.race([value, silence]).finally(cancel);
}

function isOn({ arguments: args = [] }: DirectiveNode, { variables }: DocumentReader): boolean {
  const condition = args.find(({ name }) => name.value === 'if')?.value;
  if (condition?.kind === Kind.BOOLEAN) return condition.value;
  return condition?.kind === Kind.VARIABLE ? variables[condition.name.value] !== false : true;
}

function setOf(
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
