import {
  GraphQLError,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import type { OperationContext } from '../graph/context.ts';
import { UpstreamError } from '../upstream/http/upstream-error.ts';
import type { LoadingField } from './loading-fields.ts';
import type { Work } from './simulation-work.ts';

// What a field costs beside what is counted where it is done: to call its resolver, and to wait for its answer.
const RESOLVE_STEPS = 1 / 4;
const WAIT_STEPS = 8;

/**
 * Resolves fields, and those below them, as an executor does: all fields of an object at once, those of what they return as soon as it is there.
 * But it makes no answer of them, and passes over what asks the loaders for nothing. A field that fails because of upstream or its client leads to
 * nothing; any other error is one of this program, and fails the work.
 *
 * @returns Once there is nothing more to resolve; perhaps never, when the work is over.
 */
export function simulateExecution(
  fields: readonly LoadingField[],
  context: OperationContext,
  work: Work,
): Promise<void> {
  return new Promise((resolve) => {
    let open = 1;
    const close = () => {
      open--;
      // When the work is over, it says itself whether it has failed.
      if (open === 0 && !work.isOver) resolve();
    };

    const handleError = (error: unknown) => {
      // The execution will report what upstream or the client has caused.
      if (!(error instanceof UpstreamError || error instanceof GraphQLError)) work.fail(error);
    };

    const resolveFields = (selected: readonly LoadingField[], source: unknown) => {
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
        open++;
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

/** undefined: it has no fields. */
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
