import type { OutputRef } from '@pothos/core';
import { badUserInput } from '../errors/bad-user-input.ts';
import { builder } from '../builder.ts';
import { type Cursor, parseCursor, toCursorText } from './cursor.ts';

/** One node and its place in the list. */
export interface Edge<Node> {
  readonly cursor: Cursor;
  readonly node: Node;
}

/** One page of a list, as the resolvers of a connection hand it over. */
export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** null: knowing it would cost a call. */
  readonly totalCount: number | null;
}

/** Paging arguments as GraphQL hands them over. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A page as a client asked for it. */
export interface PageRequest {
  /** 1 to 100. */
  readonly first: number;
  /** The place after which the page starts; undefined: from the beginning. */
  readonly after: Cursor | undefined;
}

/** The largest page that can be asked for. */
export const MAX_PAGE_SIZE = 100;

const toText = (edge: Edge<unknown> | undefined) => edge && toCursorText(edge.cursor);

const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', {
      nullable: false,
      description: 'Whether the list goes on after this page.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      nullable: false,
      description: 'Whether something stands before this page, which is so when it was asked for with `after`.',
    }),
    startCursor: t.string({
      nullable: true,
      description: 'Cursor of the first node of this page; null when the page is empty.',
      resolve: ({ edges }) => toText(edges[0]),
    }),
    endCursor: t.string({
      nullable: true,
      description:
        'Cursor of the last node of this page, to be given as `after` for the next page; null when this one is empty.',
      resolve: ({ edges }) => toText(edges.at(-1)),
    }),
  }),
});

/** Declares that the rows of a list are read as they are delivered, where it is streamed. */
const rows = { isStreamable: true } as const;
/** Declares that a field returns items of a list: whatever a ref carries is known of them. */
const items = { fromList: true } as const;

/**
 * Defines `<name>Connection` and `<name>Edge`.
 *
 * @param name - Name of the node's type.
 * @param node - The node's ref.
 * @param plural - What the nodes are called in descriptions, for example "collections".
 * @returns The ref of the connection; its resolvers return a `Connection`.
 */
export function connectionType<Node extends object>(name: string, node: OutputRef<Node>, plural: string) {
  const EdgeRef = builder.objectRef<Edge<Node>>(`${name}Edge`);
  EdgeRef.implement({
    description: `One of the ${plural}, with its place in the list.`,
    fields: (t) => ({
      cursor: t.string({
        nullable: false,
        description: 'Opaque place in the list, to be given as `after`. It stays valid when the server restarts.',
        resolve: ({ cursor }) => toCursorText(cursor),
      }),
      node: t.field({
        type: node,
        nullable: false,
        description: `The ${name.toLowerCase()} itself.`,
        extensions: items,
        resolve: (edge) => edge.node as never,
      }),
    }),
  });
  return builder.objectRef<Connection<Node>>(`${name}Connection`).implement({
    description: `A page of ${plural}.`,
    fields: (t) => ({
      nodes: t.field({
        type: [node],
        nullable: false,
        description: `The ${plural} of this page, in the order of the list.`,
        extensions: { ...items, ...rows },
        resolve: ({ edges }) => edges.map((edge) => edge.node) as never,
      }),
      edges: t.field({
        type: [EdgeRef],
        nullable: false,
        description: `The ${plural} of this page, each with its cursor.`,
        extensions: rows,
        resolve: ({ edges }) => edges,
      }),
      pageInfo: t.field({
        type: PageInfo,
        nullable: false,
        description: 'Whether and where the list goes on.',
        resolve: (connection) => connection,
      }),
      totalCount: t.exposeInt('totalCount', {
        nullable: true,
        description: `How many ${plural} the whole list has; null where knowing it would cost a call.`,
      }),
    }),
  });
}

/**
 * The arguments `first` and `after` of a connection field.
 *
 * @param defaultFirst - Page size when the client names none.
 */
export function pageArgs(defaultFirst: number) {
  return builder.args((t) => ({
    first: t.int({
      defaultValue: defaultFirst,
      description: `How many nodes at most, 1 to ${MAX_PAGE_SIZE}; ${defaultFirst} unless it is given.`,
    }),
    after: t.string({
      description: 'Cursor of the node after which the page starts; without it the page starts at the beginning.',
    }),
  }));
}

/**
 * Checks paging arguments.
 *
 * @param defaultFirst - Used when the client passes `first: null`.
 * @throws {GraphQLError} BAD_USER_INPUT for a page size out of bounds or an unreadable cursor.
 */
export function parsePageArgs(args: PageArgs, defaultFirst: number): PageRequest {
  const first = args.first ?? defaultFirst;
  if (first < 1 || first > MAX_PAGE_SIZE)
    throw badUserInput(`"first" is ${first}; it has to be from 1 to ${MAX_PAGE_SIZE}.`);
  return { first, after: args.after == null ? undefined : parseCursor(args.after) };
}

/**
 * Cuts a page out of a list that is in hand.
 *
 * @param list - The whole list, or a stretch of it.
 * @param idOf - The node's id, unique in the list, by which a cursor finds its place again.
 * @param stretch - Where a stretch begins, and how long the whole list is.
 */
export function toConnection<Node>(
  list: readonly Node[],
  { first, after }: PageRequest,
  idOf: (node: Node) => string,
  { offset, total } = { offset: 0, total: list.length },
): Connection<Node> {
  const cursor = after && { ...after, index: after.index - offset };
  // The cursor's own node can stand on the page before, which is not worth a call.
  const start = cursor === undefined || cursor.index < 0 ? 0 : indexOfCursor(list, cursor, idOf) + 1;
  const page = list.slice(start, start + first);
  return {
    edges: page.map((node, index) => ({
      node,
      cursor: { page: '', index: offset + start + index, id: idOf(node) },
    })),
    hasNextPage: start + page.length < list.length || offset + start + page.length < total,
    hasPreviousPage: offset + start > 0,
    totalCount: total,
  };
}

/** The same page of what is made of each of its nodes. */
export function mapNodes<Item, Node>(page: Connection<Item>, toNode: (item: Item) => Node): Connection<Node> {
  return { ...page, edges: page.edges.map(({ node, cursor }) => ({ node: toNode(node), cursor })) };
}

/** Where the node of a cursor stands now; if it is gone, where it stood. */
export function indexOfCursor<Node>(
  list: readonly Node[],
  { index, id }: Cursor,
  idOf: (node: Node) => string,
): number {
  const candidate = list[index];
  if (candidate !== undefined && idOf(candidate) === id) return index;
  const found = list.findIndex((node) => idOf(node) === id);
  // The node after the missing one has moved up into its place.
  return found === -1 ? Math.min(index, list.length) - 1 : found;
}
