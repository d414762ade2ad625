import type { Answer } from './ask.js';
import { type AskAgainOptions, askAgain } from './ask-again.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** The fields of a connection that paging needs. */
export interface Connection {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * Reads a connection page by page, each page on demand: with the next click on "more", or the next iteration of a loop.
 *
 * @param connectionOf - Returns the connection in the data.
 * @returns Answers that have the connection. Their errors are about rows.
 * @throws {Error} If a page has no connection. The message is that of its first error, if any.
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
