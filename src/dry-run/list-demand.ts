import { type DocumentNode, Kind, visit } from 'graphql';
import { MAX_PAGE_SIZE } from '../graph/paging/connection.ts';
import { type Cursor, parseCursor } from '../graph/paging/cursor.ts';
import { CHILDREN_PAGE_SIZE } from '../graph/planning/lists.ts';

/** What an operation asks of lists. */
export interface ListDemand {
  /** The items after which it continues lists, where its cursors name them. */
  readonly cursors: readonly Cursor[];
  /** The most items that it asks of a list at once. */
  readonly longestPage: number;
}

/** Reads the demand off a document, wherever something stands that can be a cursor or a number of items. */
export function toListDemand(document: DocumentNode, variables: Readonly<Record<string, unknown>>): ListDemand {
  const values = Object.values(variables);
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const counts = values.filter((value) => typeof value === 'number');
  visit(document, {
    StringValue({ value }) {
      texts.add(value);
    },
    Argument({ name, value }) {
      if (name.value === 'first' && value.kind === Kind.INT) counts.push(Number(value.value));
    },
  });
  // Lists without a number have at most that size.
  const longestPage = counts.reduce((most, count) => Math.max(most, count), CHILDREN_PAGE_SIZE);
  return { cursors: [...texts].flatMap(toCursors), longestPage: Math.min(MAX_PAGE_SIZE, longestPage) };
}

function toCursors(text: string): readonly Cursor[] {
  try {
    return [parseCursor(text)];
  } catch {
    return [];
  }
}
