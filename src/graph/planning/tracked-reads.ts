import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  type ResponsePath,
} from 'graphql';
import type { Level } from '../../upstream/postman/levels.ts';
import type { Loaders } from '../../loaders/loaders.ts';
import type { Chunk } from '../../loaders/child-lists.ts';
import type { FoundWorkspace } from '../../loaders/workspace-scan.ts';
import type { Context, OperationContext } from '../context.ts';

/**
 * Makes every field track the values it reads. A value that a response about the field's object carries is tracked
 * under the path of the object; a value that the field itself reads, under the path of the field. Only fields that
 * declare what they read, by `carriedBy` or `reads`, get loaders. Fields that read only what their arguments name get none
 * without arguments: an item of a tree has several of them.
 *
 * @param schema - Its resolvers are replaced.
 */
export function trackReads(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const pathOf = toPathOf(field);
      if (!pathOf) continue;
      const resolve = field.resolve ?? defaultFieldResolver;
      const { isForArguments } = field.extensions;
      field.resolve = (source: unknown, args: object, context: OperationContext, info) =>
        resolve(source, args, isForArguments && isEmpty(args) ? context : context.at(pathOf(info)), info);
    }
  }
}

function isEmpty(args: object): boolean {
  for (const _ in args) return false;
  return true;
}

function toPathOf({ extensions }: GraphQLField<unknown, unknown>) {
  const levels = extensions['carriedBy'] as readonly Level[] | undefined;
  if (levels && !levels.includes('dedicated')) return ({ path }: GraphQLResolveInfo) => path.prev;
  return (levels ?? extensions['reads']) ? ({ path }: GraphQLResolveInfo) => path : undefined;
}

/** Makes the context of an operation. The contexts of its fields are copies with loaders. */
export function createOperationContext(
  context: Omit<OperationContext, 'at' | 'reportedErrors' | 'selections'>,
): OperationContext {
  // The fields of one object are resolved one after the other, so the last context is usually the next one too.
  let last: { readonly path: ResponsePath | undefined; readonly context: Context } | undefined;
  const operationContext: OperationContext & { loaders: Loaders | undefined } = {
    // Set in the copies. A property that is added to a copy would give each of them a hidden class of its own.
    loaders: undefined,
    reportedErrors: new WeakSet(),
    selections: new Map(),
    at(path) {
      if (last?.path === path && last) return last.context;
      const loaders = withTracking(context.readAhead, (value) => context.trackRead(value, path));
      // A copy, because a prototype gets a hidden class of its own, which V8 retains, with the whole operation, until the
      // next major collection.
      const copy = { ...operationContext };
      copy.loaders = loaders;
      last = { path, context: copy as Context };
      return last.context;
    },
    ...context,
  };
  return operationContext;
}

/** Makes loaders that report what they have read. Each is made on first use: most objects use one of them, or none. */
function withTracking(loaders: Loaders, track: (value: unknown) => void): Loaders {
  return new Proxy(loaders, {
    get(target, name: keyof Loaders) {
      const load: (request: never) => Promise<unknown> = target[name];
      return (request: never) =>
        load(request).then((value) => {
          // Track the items: they come from responses, but the loader made the chunk around them.
          track(isChunk(value) ? value.items : value);
          if (isChunk(value) && value.refs) track(value.refs);
          if (isFound(value)) for (const response of [value.workspace, ...value.evidence]) track(response);
          return value;
        });
    },
  });
}

function isFound(value: unknown): value is FoundWorkspace {
  return typeof value === 'object' && value !== null && 'evidence' in value;
}

function isChunk(value: unknown): value is Chunk<unknown> {
  return typeof value === 'object' && value !== null && 'items' in value && 'offset' in value;
}
