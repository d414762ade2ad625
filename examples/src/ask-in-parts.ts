import { type Answer, type AnswerError, type AskOptions, send } from './ask.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** One part of a response: first the initial answer, then increments to merge into it. */
interface Part<Result> extends Answer<Result> {
  readonly incremental?: readonly Increment[];
}

/** Further items of a list (`@stream`), or further fields of an object (`@defer`). */
interface Increment {
  readonly path: readonly (string | number)[];
  readonly items?: readonly unknown[] | null;
  readonly data?: object | null;
  readonly errors?: readonly AnswerError[];
}

/**
 * Asks with a document that has `@stream` or `@defer`. Leaving the loop ends the operation and its calls.
 *
 * @returns The answer so far, each time a part has arrived. Unchanged objects keep their identity.
 * @throws {Error} If the response is not from the GraphQL server, if there is none, or if the connection breaks.
 */
export async function* askInParts<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  options: AskOptions = {},
): AsyncGenerator<Answer<Result>, void> {
  const response = await send(document, variables, ['text/event-stream', 'application/graphql-response+json'], options);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    // The request was not executed.
    yield (await response.json()) as Answer<Result>;
    return;
  }
  let answer: Answer<Result> = {};
  for await (const text of readEvents(response)) {
    const { incremental = [], ...more } = JSON.parse(text) as Part<Result>;
    answer = incremental.reduce(put<Result>, { ...answer, ...more });
    yield answer;
  }
}

/** Yields the `data` of each server-sent event. */
async function* readEvents({ body }: Response): AsyncGenerator<string, void> {
  // Not every browser supports `for await` over the body.
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      text += chunk.value;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1];
        if (data !== undefined) yield data;
      }
    }
  } finally {
    await reader?.cancel();
  }
}

function put<Result>(answer: Answer<Result>, { path, items, data, errors = [] }: Increment): Answer<Result> {
  const changedPath = items ? path.slice(0, -1) : path;
  const change = (value: unknown) => (items ? [...(value as unknown[]), ...items] : { ...(value as object), ...data });
  return {
    ...answer,
    data: (items || data ? changeAt(answer.data, changedPath, change) : answer.data) as Result,
    ...(errors.length > 0 && { errors: [...(answer.errors ?? []), ...errors] }),
  };
}

/** Changes the value at a path. Copies the objects and lists along the path. */
function changeAt(value: unknown, [key, ...rest]: Increment['path'], change: (value: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const children = copy as Record<string | number, unknown>;
  children[key] = changeAt(children[key], rest, change);
  return copy;
}
