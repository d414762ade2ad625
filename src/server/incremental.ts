import {
  type ArgumentNode,
  BREAK,
  type DirectiveNode,
  type DocumentNode,
  type GraphQLError,
  Kind,
  visit,
} from 'graphql';

/** One part of an answer that is delivered incrementally, in the format of graphql-yoga (GraphQL's draft of 24 August 2022). */
export interface AnswerPart {
  readonly errors?: readonly GraphQLError[];
  readonly incremental?: readonly { readonly errors?: readonly GraphQLError[] }[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Whether a document asks for an answer in parts: it has a `@defer` or `@stream` that is not switched off in so many words. */
export function isIncremental(document: DocumentNode): boolean {
  let asks = false;
  visit(document, {
    Directive(directive) {
      if (!isOn(directive)) return;
      asks = true;
      return BREAK;
    },
  });
  return asks;
}

/**
 * Has every part pass through a function, and whoever stops listening be noticed at once, also while the next part is awaited.
 *
 * @param map - A part that it gives without anything next is the last, whatever else would come.
 * @param onEnd - Is called at the end, whichever it is.
 */
export function mapParts(
  parts: AsyncIterable<AnswerPart>,
  map: (part: AnswerPart) => AnswerPart,
  onEnd: () => void,
): AsyncIterable<AnswerPart> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = parts[Symbol.asyncIterator]();
      let isOver = false;
      return {
        async next() {
          const next = isOver ? undefined : await iterator.next();
          if (!next || next.done === true) {
            onEnd();
            return { done: true, value: undefined };
          }
          const value = map(next.value);
          isOver = value.hasNext === false;
          if (isOver) onEnd();
          return { done: false, value };
        },
        async return() {
          // First: what the next part waits for ends with it.
          onEnd();
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Every error of a part, wherever it stands. */
export function errorsOf({ errors = [], incremental = [] }: AnswerPart): readonly GraphQLError[] {
  return [...errors, ...incremental.flatMap((part) => part.errors ?? [])];
}

/** Replaces the errors inside the increments of a part; those of the part itself have been seen to. */
export function mapIncrementErrors(part: AnswerPart, map: (error: GraphQLError) => GraphQLError): AnswerPart {
  if (!part.incremental) return part;
  return {
    ...part,
    incremental: part.incremental.map((increment) =>
      increment.errors ? { ...increment, errors: increment.errors.map(map) } : increment,
    ),
  };
}

function isOn({ name, arguments: args = [] }: DirectiveNode): boolean {
  const isOff = ({ name: argument, value }: ArgumentNode) =>
    argument.value === 'if' && value.kind === Kind.BOOLEAN && !value.value;
  return (name.value === 'defer' || name.value === 'stream') && !args.some(isOff);
}
