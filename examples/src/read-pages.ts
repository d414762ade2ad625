import type { Answer } from './ask.js';
import { type AskAgainOptions, askAgain } from './ask-again.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** What a document has to ask of a connection so that it can be paged through. */
export interface Connection {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * Reads a connection page by page, each when it is asked for: the next click on "more", or the next turn of a loop.
 *
 * @param connectionOf - Finds the connection in the data.
 * @returns Answers that have the connection; further errors are those of rows.
 * @throws {Error} A page is not there: its error, or that there is no such thing.
 */
export async function* readPages<Result, Variables extends { after?: string | null | undefined }>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  connectionOf: (data: Result) => Connection | null | undefined,
  options: AskAgainOptions<Result> = {},
): AsyncGenerator<Answer<Result> & { readonly data: Result }, void> {
  let after = variables.after;
  for (;;) {
    const { data, ...rest } = await askAgain(document, { ...variables, after }, options);
    const connection = data && connectionOf(data);
    if (!connection) throw new Error(rest.errors?.[0]?.message ?? 'There is nothing to page through.');
    yield { ...rest, data };
    if (!connection.pageInfo.hasNextPage) return;
    after = connection.pageInfo.endCursor;
  }
}
