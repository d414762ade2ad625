import { type DocumentNode, Kind, visit } from 'graphql';
import { MAX_PAGE_SIZE } from '../graph/connection.ts';
import { parseCursor } from '../graph/cursor.ts';
import { CHILDREN_PAGE_SIZE } from '../graph/lists.ts';
import type { ListDemand, ListPlace } from '../upstream/imagination.ts';

/** Reads off a document, wherever something is named, which places lists are gone on from, and how much is asked of a list at once. */
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
  // Lists of which no number is asked are of that size at most.
  const longestPage = counts.reduce((most, count) => Math.max(most, count), CHILDREN_PAGE_SIZE);
  return { places: [...texts].flatMap(toPlace), longestPage: Math.min(MAX_PAGE_SIZE, longestPage) };
}

function toPlace(text: string): readonly ListPlace[] {
  try {
    return [parseCursor(text)];
  } catch {
    return [];
  }
}
