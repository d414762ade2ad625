import {
  GraphQLError,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import type { OperationContext } from '../graph/context.ts';
import { UpstreamError } from '../upstream/http/upstream-error.ts';
import type { IdleTasks } from '../upstream/calls/operation/idle-tasks.ts';
import type { LoadingField } from './loading-fields.ts';
import type { Scenario } from './scenario-world.ts';
import type { Work } from './simulation-work.ts';

// Steps to call a resolver, and to wait for its promise. Steps inside resolvers are counted where they happen.
const RESOLVE_STEPS = 1 / 4;
const WAIT_STEPS = 8;

/**
 * Resolves fields and the fields below them in the order of an executor: all fields of an object at once, and the
 * fields of a value as soon as it has arrived. Builds no result, and skips fields that do not call the loaders.
 *
 * A field that fails because of upstream or the client ends there. Any other error is a bug of this program and fails
 * the work.
 *
 * @returns Resolves when nothing is left to resolve. Never settles if the work is over first.
 */
export function simulateExecution(
  fields: readonly LoadingField[],
  context: OperationContext,
  work: Work,
): Promise<void> {
  return new Promise((resolve) => {
    let openCount = 1;
    const close = () => {
      openCount--;
      // When the work is over, `work.over` settles instead.
      if (openCount === 0 && !work.isOver) resolve();
    };

    const handleError = (error: unknown) => {
      // The execution reports errors caused by upstream or the client.
      if (!(error instanceof UpstreamError || error instanceof GraphQLError)) work.fail(error);
    };

    // Items of a collection refer to each other. What one item leads to from one position is the same every time.
    const visited = new Map<readonly LoadingField[], Set<unknown>>();
    const isVisited = (selected: readonly LoadingField[], source: unknown): boolean => {
      if (typeof source !== 'object' || source === null || !('tree' in source)) return false;
      const sources = visited.get(selected) ?? new Set();
      visited.set(selected, sources);
      const before = sources.size;
      return sources.add(source).size === before;
    };

    const resolveFields = (selected: readonly LoadingField[], source: unknown) => {
      if (isVisited(selected, source)) return;
      for (const field of selected) {
        work.add(RESOLVE_STEPS);
        if (work.isOver) return;
        try {
          complete(field, field.resolve(source, field.args, context, field.info));
        } catch (error) {
          handleError(error);
        }
      }
    };

    const wait = async (field: LoadingField, value: Promise<unknown>) => {
      try {
        complete(field, await value);
      } catch (error) {
        handleError(error);
      }
      close();
    };

    const complete = (field: LoadingField, value: unknown) => {
      if (value instanceof Promise) {
        openCount++;
        work.add(WAIT_STEPS);
        void wait(field, value);
      } else if (Array.isArray(value)) {
        for (const item of value as readonly unknown[]) complete(field, item);
      } else if (typeof value === 'object' && value !== null) {
        const type = toObjectType(field, value, context);
        if (type) resolveFields(field.below(type), value);
      }
    };

    resolveFields(fields, undefined);
    close();
  });
}

/** Returns the object type of a value; undefined if the value has no fields. */
function toObjectType(
  { type, info }: LoadingField,
  value: object,
  context: OperationContext,
): GraphQLObjectType | undefined {
  if (isObjectType(type)) return type;
  if (!isAbstractType(type)) return undefined;
  const name = type.resolveType?.(value, context, info, type);
  const named: GraphQLNamedOutputType | undefined =
    typeof name === 'string' ? (info.schema.getType(name) as GraphQLNamedOutputType | undefined) : undefined;
  return isObjectType(named) ? named : undefined;
}

/**
 * Creates the function that delays each response until its position in the order. Calls get responses one at a time:
 * before the next one, everything that a response leads to has been requested.
 */
export function createResponseOrder(first: Scenario['respondToFirst'], idleTasks: IdleTasks, work: Work) {
  const lists: (() => void)[] = [];
  const others: (() => void)[] = [];
  let isResponding = false;
  const respondNext = () => {
    if (isResponding) return;
    isResponding = true;
    // Runs in line with the planners, so that two responses can be planned together, like two that arrive at once.
    idleTasks.add('plan', () => {
      isResponding = false;
      if (work.isOver) return;
      const respond = first === 'newest' ? others.pop() : (lists.shift() ?? others.shift());
      if (!respond) return;
      respond();
      respondNext();
    });
  };
  return (isList: boolean) =>
    new Promise<void>((respond) => {
      (isList && first === 'lists' ? lists : others).push(respond);
      respondNext();
    });
}
