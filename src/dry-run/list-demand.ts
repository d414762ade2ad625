import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';
import { LARGEST_COST } from '../graph/planning/estimate.ts';
import { MAX_PAGE_SIZE } from '../graph/paging/connection.ts';
import { type Cursor, parseCursor } from '../graph/paging/cursor.ts';
import type { ListArgs } from '../graph/paging/list-order.ts';
import { CHILDREN_PAGE_SIZE } from '../graph/planning/lists.ts';
import { searchKinds } from '../graph/search/search-cursor.ts';

const searchFields: ReadonlySet<string> = new Set(searchKinds);

/** Which parts of lists an operation requests. */
export interface ListDemand {
  /** The parsed cursors after which the operation continues lists. */
  readonly cursors: readonly Cursor[];
  /**
   * The largest page that the operation requests, in items. At most `MAX_PAGE_SIZE`; `LARGEST_COST` if it searches all
   * items of a list.
   */
  readonly longestPage: number;
  /** Whether it may have this server order or filter a list. */
  readonly ordersLists: boolean;
}

const ORDERING_ARGUMENTS: ReadonlySet<string> = new Set<keyof ListArgs>(['orderBy', 'updatedAfter']);

/**
 * Reads the list demand of a document and its variables. Every string that parses as a cursor counts as one, and
 * every numeric variable and every literal of a `first` argument counts as a page size.
 */
export function toListDemand(document: DocumentNode, variables: Readonly<Record<string, unknown>>): ListDemand {
  const values = Object.values(variables);
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const pageSizes = values.filter((value) => typeof value === 'number');
  let searchesLists = false;
  const noteSearches = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) searchesLists ||= searchFields.has(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) noteSearches(selection.selectionSet);
    }
  };
  let ordersLists = false;
  visit(document, {
    OperationDefinition({ selectionSet }) {
      noteSearches(selectionSet);
    },
    FragmentDefinition({ typeCondition, selectionSet }) {
      if (typeCondition.name.value === 'Query') noteSearches(selectionSet);
    },
    StringValue({ value }) {
      texts.add(value);
    },
    Argument({ name, value }) {
      if (ORDERING_ARGUMENTS.has(name.value)) ordersLists = true;
      if (name.value === 'first' && value.kind === Kind.INT) pageSizes.push(Number(value.value));
    },
  });
  // A list without `first` has at most this page size.
  const longestPage = pageSizes.reduce((most, size) => Math.max(most, size), CHILDREN_PAGE_SIZE);
  return {
    cursors: [...texts].flatMap(toCursors),
    longestPage: searchesLists ? LARGEST_COST : Math.min(MAX_PAGE_SIZE, longestPage),
    ordersLists,
  };
}

function toCursors(text: string): readonly Cursor[] {
  try {
    return [parseCursor(text)];
  } catch {
    return [];
  }
}
