import { defaultFieldResolver, getNamedType, type GraphQLSchema, isObjectType } from 'graphql';
import type { Context } from './context.ts';

const TEXT_TYPES: ReadonlySet<string> = new Set(['String', 'ID', 'JSON']);

/**
 * Has every text of an answer counted, wherever it stands: any field can turn out to be megabytes long, and be asked for a
 * hundred times.
 *
 * @param schema - Its resolvers are replaced.
 */
export function countTexts(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!TEXT_TYPES.has(getNamedType(field.type).name)) continue;
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = (source: unknown, args: object, context: Context, info) => {
        const value: unknown = resolve(source, args, context, info);
        if (value instanceof Promise) return value.then((text: unknown) => context.answerSize.text(text));
        return context.answerSize.text(value);
      };
    }
  }
}
