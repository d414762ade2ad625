import { type Answer, type AnswerError, type AskOptions, send } from './ask.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** What comes at a time: first the answer as far as it is there, then what is to be put into it. */
interface Part<Result> extends Answer<Result> {
  readonly incremental?: readonly Increment[];
}

/** The items of a list from a place on (`@stream`), or more fields of an object (`@defer`). */
interface Increment {
  readonly path: readonly (string | number)[];
  readonly items?: readonly unknown[] | null;
  readonly data?: object | null;
  readonly errors?: readonly AnswerError[];
}

/**
 * Asks for an answer in parts: a document with `@stream` or `@defer`. Leaving the loop ends the operation, and its calls.
 *
 * @returns The answer as far as it is there, each time that there is more of it. What has not changed is the same object as before.
 * @throws {Error} Something else than the server has answered, or nothing, or the connection broke.
 */
export async function* askInParts<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  options: AskOptions = {},
): AsyncGenerator<Answer<Result>, void> {
  const response = await send(document, variables, ['text/event-stream', 'application/graphql-response+json'], options);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    // It was not executed.
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

/** Reads what a stream of events says: of each event its `data`. */
async function* readEvents({ body }: Response): AsyncGenerator<string, void> {
  // Not `for await` over the body: not every browser has that.
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
  const place = items ? path.slice(0, -1) : path;
  const change = (value: unknown) => (items ? [...(value as unknown[]), ...items] : { ...(value as object), ...data });
  return {
    ...answer,
    data: (items || data ? changeAt(answer.data, place, change) : answer.data) as Result,
    ...(errors.length > 0 && { errors: [...(answer.errors ?? []), ...errors] }),
  };
}

/** Copies what lies on the way to a place, and changes what is there. */
function changeAt(value: unknown, [key, ...rest]: Increment['path'], change: (value: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const children = copy as Record<string | number, unknown>;
  children[key] = changeAt(children[key], rest, change);
  return copy;
}
