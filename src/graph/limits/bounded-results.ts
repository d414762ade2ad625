import {
  defaultFieldResolver,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isObjectType,
} from 'graphql';
import { type JsonSize, measureJson, textLength } from '../../upstream/collection-format/syntax/json.ts';
import { ResultTooLarge } from './result-size.ts';
import type { OperationContext } from '../context.ts';
import type { TimeSlices } from './time-slices.ts';

type Bounder = (value: unknown, context: OperationContext, info: GraphQLResolveInfo) => unknown;

const TEXT_TYPES: ReadonlySet<string> = new Set(['String', 'ID', 'JSON']);

/**
 * Has every list and every text of an answer counted, wherever it stands: any field can turn out to be megabytes long, and be asked for a
 * hundred times. Objects of a list are answered in slices.
 *
 * @param schema - Its resolvers are replaced.
 */
export function boundResults(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      const isText = TEXT_TYPES.has(named.name);
      const isList = isListType(getNullableType(field.type));
      if (isListOfLists(field.type))
        throw new TypeError(`${type.name}.${field.name}: the lists in it would not be counted`);
      if (isLeafType(named) && !isText && !isList) continue;
      const bound = isList ? createListBounder(field, named) : isText ? boundText : boundObject;
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = (source: unknown, args: object, context: OperationContext, info) => {
        try {
          const value: unknown = resolve(source, args, context, info);
          if (!(value instanceof Promise)) return bound(value, context, info);
          return value.then((resolved: unknown) => bound(resolved, context, info)).catch(fail);
        } catch (error) {
          return fail(error);
        }
      };
    }
  }
}

function isListOfLists(type: GraphQLOutputType): boolean {
  const list = getNullableType(type);
  return isListType(list) && isListType(getNullableType(list.ofType));
}

/**
 * Fails later, never at once: the executor forgets the promises of a list when one of its items fails at once, and nobody would see to those
 * that fail after it. And past a bound not at all: the operation is being stopped as a whole.
 */
function fail(error: unknown): Promise<never> {
  if (!(error instanceof ResultTooLarge)) return Promise.reject(error);
  return new Promise(() => {});
}

const boundObject: Bounder = (value) => value;

function createListBounder({ extensions }: GraphQLField<unknown, unknown>, named: GraphQLNamedType): Bounder {
  const isText = TEXT_TYPES.has(named.name);
  const isLeaf = isLeafType(named);
  const isStreamable = extensions['isStreamable'] === true;
  return (value, { resultSize, slices, streamedRows }, info) => {
    if (value == null || value instanceof Error) return value;
    if (!Array.isArray(value)) throw new TypeError(`${info.parentType.name}.${info.fieldName} is no array`);
    const items: readonly unknown[] = value;
    const isLarge = resultSize.list(items.length, info);
    if (isText) resultSize.text(JSON.stringify(items).length, info);
    const rows = isStreamable ? streamedRows.feed(items, info) : items;
    if (rows !== items) return rows;
    if (isLeaf || items.length === 0 || !(isLarge || slices.isUsedUp())) return items;
    // One that fails before its turn has nobody yet who sees to it, which would end the process.
    for (const item of items) if (item instanceof Promise) item.catch(() => undefined);
    return inSequence(items, slices);
  };
}

const boundText: Bounder = (value, { resultSize, slices }, info) => {
  if (value == null) return value;
  if (typeof value === 'string') {
    resultSize.text(textLength(value), info);
    return value;
  }
  // Numbers and booleans are counted as values.
  if (typeof value !== 'object') return value;
  const json: unknown = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
  const size = slices.run(measureJson(json));
  const count = ({ length }: JsonSize) => {
    resultSize.text(length, info);
    return value;
  };
  return size instanceof Promise ? size.then(count) : count(size);
};

/**
 * Once the slice is used up the items wait one by one, which keeps their order: the executor asks for all of them at once. It would take an
 * asynchronous iterator, too, but not see to items that fail before the last of them has come.
 */
function* inSequence(items: readonly unknown[], slices: TimeSlices): Generator {
  for (const item of items) yield slices.isUsedUp() ? slices.next().then(() => item) : item;
}
