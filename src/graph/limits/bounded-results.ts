import {
  defaultFieldResolver,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isObjectType,
} from 'graphql';
import { measureJson, textLength } from '../../upstream/collection-format/syntax/json.ts';
import { type ResultSize, ResultTooLarge } from './result-size.ts';
import type { OperationContext } from '../context.ts';
import type { TimeSlices } from './time-slices.ts';

type Bounder = (value: unknown, context: OperationContext, info: GraphQLResolveInfo) => unknown;
type Resolver = GraphQLFieldResolver<unknown, OperationContext>;

const TEXT_TYPES: ReadonlySet<string> = new Set(['String', 'ID', 'JSON']);

/**
 * Makes every field count its lists and texts in the `ResultSize` of the operation: any field can be megabytes long,
 * and can be selected a hundred times. Objects of long lists are completed in time slices.
 *
 * @param schema - Its resolvers are replaced.
 * @throws {TypeError} A field is a list of lists.
 */
export function boundResults(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      const isText = TEXT_TYPES.has(named.name);
      const isList = isListType(getNullableType(field.type));
      if (isListOfLists(field.type))
        throw new TypeError(`${type.name}.${field.name} is a list of lists, and the inner lists would not be counted`);
      if (isLeafType(named) && !isText && !isList) continue;
      const resolve = field.resolve ?? defaultFieldResolver;
      if (isList) field.resolve = withBound(resolve, createListBounder(field, named));
      else field.resolve = isText ? withTextBound(resolve) : withBound(resolve, boundObject);
    }
  }
}

function withBound(resolve: Resolver, bound: Bounder): Resolver {
  return (source, args, context, info) => {
    try {
      const value: unknown = resolve(source, args, context, info);
      return value instanceof Promise ? boundLater(value, bound, context, info) : bound(value, context, info);
    } catch (error) {
      return fail(error);
    }
  };
}

/** Apart, because a function that makes a closure costs an object each time it is called. */
const boundLater = (value: Promise<unknown>, bound: Bounder, context: OperationContext, info: GraphQLResolveInfo) =>
  value.then((resolved) => bound(resolved, context, info)).catch(fail);

/** Does the same as `withBound` with `boundText`. Most values are texts, and need fewer calls here. */
function withTextBound(resolve: Resolver): Resolver {
  const bound = withBound((value) => value, boundText);
  return (source, args, context, info) => {
    let value: unknown;
    try {
      value = resolve(source, args, context, info);
      if (value === null) return null;
      if (typeof value === 'string') {
        context.resultSize.text(textLength(value), info);
        return value;
      }
    } catch (error) {
      return fail(error);
    }
    return bound(value, args, context, info);
  };
}

function isListOfLists(type: GraphQLOutputType): boolean {
  const list = getNullableType(type);
  return isListType(list) && isListType(getNullableType(list.ofType));
}

/**
 * Rejects instead of throwing: when an item of a list throws, the executor drops the promises of the other items, and
 * their later rejections would be unhandled. For a `ResultTooLarge` the promise never settles, because the whole
 * operation is being stopped.
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
    if (isStreamable && isAsyncIterable(value)) return countRows(value, resultSize, info);
    if (!Array.isArray(value)) throw new TypeError(`${info.parentType.name}.${info.fieldName} is not an array`);
    const items: readonly unknown[] = value;
    const isLarge = resultSize.list(items.length, info);
    if (isText) resultSize.text(toListLength(items), info);
    const rows = isStreamable ? streamedRows.feed(items, info) : items;
    if (rows !== items) return rows;
    if (isLeaf || items.length === 0 || !(isLarge || slices.isUsedUp())) return items;
    // An item that rejects before the executor reaches it would be an unhandled rejection, which ends the process.
    for (const item of items) if (item instanceof Promise) item.catch(() => undefined);
    return inSequence(items, slices);
  };
}

/** Returns the length of a list in JSON. */
function toListLength(items: readonly unknown[]): number {
  let length = Math.max(2, 1 + items.length);
  for (const item of items) {
    if (typeof item !== 'string') return JSON.stringify(items).length;
    length += textLength(item);
  }
  return length;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Yields rows that are found one by one, and counts each. Past a bound it never yields again: see `fail`. */
function countRows(
  rows: AsyncIterable<unknown>,
  resultSize: ResultSize,
  info: GraphQLResolveInfo,
): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = rows[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const row = await iterator.next();
            if (row.done !== true) resultSize.list(1, info);
            return row;
          } catch (error) {
            return fail(error);
          }
        },
        return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      };
    },
  };
}

const boundText: Bounder = (value, { resultSize, slices }, info) => {
  if (value == null) return value;
  if (typeof value === 'string') {
    resultSize.text(textLength(value), info);
    return value;
  }
  // Numbers and booleans count as values, not as text.
  if (typeof value !== 'object') return value;
  const json: unknown = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
  return countText(value, slices.run(measureJson(json)), resultSize, info);
};

function countText(
  value: unknown,
  length: number | Promise<number>,
  resultSize: ResultSize,
  info: GraphQLResolveInfo,
): unknown {
  if (length instanceof Promise) return length.then((measured) => countText(value, measured, resultSize, info));
  resultSize.text(length, info);
  return value;
}

/**
 * Yields the items; once the slice is used up, promises of items that wait for the next slices. The executor requests
 * all of them at once, and they resolve in order. An async iterator would work too, but with one the executor does
 * not handle items that reject before the last item has arrived.
 */
function* inSequence(items: readonly unknown[], slices: TimeSlices): Generator {
  for (const item of items) yield slices.isUsedUp() ? slices.next().then(() => item) : item;
}
