/**
 * Connections: the types `<Name>Connection`, `<Name>Edge` and `PageInfo`, the arguments `first` and `after`, and the
 * functions that cut pages out of lists. Nodes can be of any type, so this file must import no type of the schema,
 * nothing of the tree, and no planning of calls. Paging is forward only: there is no `last` or `before`.
 */
import type { OutputRef } from '@pothos/core';
import { badUserInput } from '../errors/bad-user-input.ts';
import { builder } from '../builder.ts';
import { type Cursor, type OrderedCursor, parseCursor, toCursorText } from './cursor.ts';

/** A cursor, or a function that writes one whose text takes long to make. */
export type EdgeCursor = Cursor | OrderedCursor | (() => string);

/** One node and its position in the list. */
export interface Edge<Node> {
  readonly cursor: EdgeCursor;
  readonly node: Node;
}

/** One page of a list: the value that resolvers of a connection field return. */
export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Length of the whole list; null if finding it out would cost a call. */
  readonly totalCount: number | null;
  /** Where the next page starts. Default: after the last edge. */
  readonly end?: EdgeCursor;
}

/** Paging arguments as resolvers get them. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A page that a client has requested. */
export interface PageRequest {
  /** 1 to 100. */
  readonly first: number;
  /** The position after which the page starts; undefined: at the beginning of the list. */
  readonly after: Cursor | undefined;
}

/** The largest page size that a client can request. */
export const MAX_PAGE_SIZE = 100;

const toText = (cursor: EdgeCursor) => (typeof cursor === 'function' ? cursor() : toCursorText(cursor));

/** GraphQL type `PageInfo`. */
export const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Position of a page in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', {
      nullable: false,
      description: 'Whether the list has more nodes after this page.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      nullable: false,
      description: 'Whether the list has nodes before this page, as it does when `after` was given.',
    }),
    startCursor: t.string({
      nullable: true,
      description: 'Cursor of the first node of this page; null when the page is empty.',
      resolve: ({ edges: [first] }) => first && toText(first.cursor),
    }),
    endCursor: t.string({
      nullable: true,
      description:
        'Cursor of the last node of this page: pass it as `after` to get the next page. null when the page is empty, ' +
        'except that of a search which was cut short: it then continues the search.',
      resolve({ edges, end = edges.at(-1)?.cursor }) {
        return end && toText(end);
      },
    }),
  }),
});

/** Declares that, when the list is streamed, its rows start only as the budget allows. */
export const streamable = { isStreamable: true } as const;
/** Declares that a field returns items of an upstream list: all fields that a ref carries are known. */
export const listItems = { fromList: true } as const;

/**
 * Defines `<name>Edge`.
 *
 * @param name - Name of the node's type.
 * @param node - The node's ref.
 * @param plural - What the nodes are called in descriptions, for example "collections".
 */
export function edgeType<Node extends object>(name: string, node: OutputRef<Node>, plural: string) {
  const EdgeRef = builder.objectRef<Edge<Node>>(`${name}Edge`);
  EdgeRef.implement({
    description: `One of the ${plural}, with its position in the list.`,
    fields: (t) => ({
      cursor: t.string({
        nullable: false,
        description: 'Opaque position in the list, to be passed as `after`. It stays valid when the server restarts.',
        resolve: ({ cursor }) => toText(cursor),
      }),
      node: t.field({
        type: node,
        nullable: false,
        description: `The ${name.toLowerCase()} itself.`,
        extensions: listItems,
        resolve: (edge) => edge.node as never,
      }),
    }),
  });
  return EdgeRef;
}

/**
 * Defines `<name>Connection`. The parameters are those of `edgeType`.
 *
 * @param EdgeRef - The ref of its edges. Default: `edgeType` defines it.
 * @returns The ref of the connection; its resolvers return a `Connection`.
 */
export function connectionType<Node extends object>(
  name: string,
  node: OutputRef<Node>,
  plural: string,
  EdgeRef = edgeType(name, node, plural),
) {
  return builder.objectRef<Connection<Node>>(`${name}Connection`).implement({
    description: `A page of ${plural}.`,
    fields: (t) => ({
      nodes: t.field({
        type: [node],
        nullable: false,
        description: `The ${plural} of this page, in the order of the list.`,
        extensions: { ...listItems, ...streamable },
        resolve: ({ edges }) => edges.map((edge) => edge.node) as never,
      }),
      edges: t.field({
        type: [EdgeRef],
        nullable: false,
        description: `The ${plural} of this page, each with its cursor.`,
        extensions: streamable,
        resolve: ({ edges }) => edges,
      }),
      pageInfo: t.field({
        type: PageInfo,
        nullable: false,
        description: 'Whether the list has more pages, and how to get the next one.',
        resolve: (connection) => connection,
      }),
      totalCount: t.exposeInt('totalCount', {
        nullable: true,
        description: `Number of ${plural} in the whole list; null when finding it out would cost a call.`,
      }),
    }),
  });
}

/**
 * Makes the arguments `first` and `after` of a connection field.
 *
 * @param defaultFirst - Page size when the client gives none.
 */
export function pageArgs(defaultFirst: number) {
  return builder.args((t) => ({
    first: t.int({
      defaultValue: defaultFirst,
      description: `Largest number of nodes on the page, 1 to ${MAX_PAGE_SIZE}. Default: ${defaultFirst}.`,
    }),
    after: t.string({
      description: 'Cursor of the node after which the page starts. Default: the beginning of the list.',
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
    throw badUserInput(`"first" is ${first}; it must be from 1 to ${MAX_PAGE_SIZE}.`);
  return { first, after: args.after == null ? undefined : parseCursor(args.after) };
}

/**
 * Cuts a page out of a list that has been read.
 *
 * @param list - The whole list, or a chunk of it.
 * @param idOf - Returns a node's id, unique in the list. A cursor finds its node by it when positions have changed.
 * @param chunk - Position of the chunk's first item in the whole list, and the length of that list.
 */
export function toConnection<Node>(
  list: readonly Node[],
  { first, after }: PageRequest,
  idOf: (node: Node) => string,
  { offset, total } = { offset: 0, total: list.length },
): Connection<Node> {
  const cursor = after && { ...after, index: after.index - offset };
  // The node of the cursor may be just before the chunk; reading it would not be worth a call.
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

/** Maps each node of a page; cursors and counts stay the same. */
export function mapNodes<Item, Node>(page: Connection<Item>, toNode: (item: Item) => Node): Connection<Node> {
  return { ...page, edges: page.edges.map(({ node, cursor }) => ({ node: toNode(node), cursor })) };
}

/** Returns the current position of a cursor's node; if the node is gone, the position before its old one. */
export function indexOfCursor<Node>(
  list: readonly Node[],
  { index, id }: Cursor,
  idOf: (node: Node) => string,
): number {
  const candidate = list[index];
  if (candidate !== undefined && idOf(candidate) === id) return index;
  const found = list.findIndex((node) => idOf(node) === id);
  // The node after the missing one has moved up to its position.
  return found === -1 ? Math.min(index, list.length) - 1 : found;
}
