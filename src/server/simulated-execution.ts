import { type GraphQLNamedOutputType, type GraphQLObjectType, isAbstractType, isObjectType } from 'graphql';
import type { AskingField } from '../graph/asking-fields.ts';
import type { OperationContext } from '../graph/context.ts';
import type { Work } from '../upstream/work.ts';

// What a field costs beside what is counted where it is done: to call its resolver, and to wait for its answer.
const RESOLVE_STEPS = 1 / 4;
const WAIT_STEPS = 8;

/**
 * Resolves fields, and those below them, as an executor does: all fields of an object at once, those of what they return as soon as it is there.
 * But it makes no answer of them, and passes over what asks the loaders for nothing.
 *
 * @returns Once there is nothing more to resolve; perhaps never, when the work is over.
 */
export function simulateExecution(
  fields: readonly AskingField[],
  context: OperationContext,
  work: Work,
): Promise<void> {
  return new Promise((resolve) => {
    let open = 1;
    const close = () => {
      open--;
      if (open === 0) resolve();
    };

    const ask = (selected: readonly AskingField[], source: unknown) => {
      for (const field of selected) {
        work.add(RESOLVE_STEPS);
        if (work.isOver) return;
        let value: unknown;
        try {
          value = field.resolve(source, field.args, context, field.info);
        } catch {
          // The execution will report it. Nothing is asked for below it.
          continue;
        }
        complete(field, value);
      }
    };

    const complete = (field: AskingField, value: unknown) => {
      if (value instanceof Promise) {
        open++;
        work.add(WAIT_STEPS);
        const goOn = (settled: unknown) => {
          complete(field, settled);
          close();
        };
        // What fails leads to nothing, as above.
        value.then(goOn, close);
      } else if (Array.isArray(value)) {
        for (const item of value as readonly unknown[]) complete(field, item);
      } else if (typeof value === 'object' && value !== null) {
        const type = toObjectType(field, value, context);
        if (type) ask(field.below(type), value);
      }
    };

    ask(fields, undefined);
    close();
  });
}

/** undefined: it has no fields. */
function toObjectType(
  { type, info }: AskingField,
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
