/**
 * The arguments `orderBy` and `updatedAfter` of lists, and their inputs `<Name>Order`. Postman neither orders nor
 * filters by date, so these lists are read whole. As `connection.ts`, this file must import no type of the schema and
 * no planning of calls.
 */
import type { InputRef } from '@pothos/core';
import { builder } from '../builder.ts';
import { type PageArgs, type PageRequest, parsePageArgs } from './connection.ts';
import { type OrderedCursor, parseOrderedCursor } from './cursor.ts';

/** What a list can be ordered by: a property of its items. */
export type OrderField = 'name' | 'createdAt' | 'updatedAt';

/** GraphQL inputs `<Name>Order`, as resolvers get them. */
export interface ListOrder {
  readonly field: OrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** Arguments of a list that can be ordered, as resolvers get them. */
export interface ListArgs extends PageArgs {
  readonly orderBy?: ListOrder | null | undefined;
  /** In UTC with milliseconds, as the scalar `DateTime` parses it. */
  readonly updatedAfter?: string | null | undefined;
}

/** How this server orders and filters a list. */
export interface Ordering {
  /** undefined: Postman's order. */
  readonly order: ListOrder | undefined;
  /** In UTC with milliseconds; only items changed later are in the list. undefined: all items. */
  readonly updatedAfter: string | undefined;
  /** The position after which the page starts; undefined: at the beginning of the list. */
  readonly after: OrderedCursor | undefined;
}

/** A page of a list that a client has requested. */
export interface ListPageRequest extends PageRequest {
  /** undefined: the list as Postman pages it. If it is set, it has the cursor, and `after` is undefined. */
  readonly ordering?: Ordering;
}

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Direction of an order. Objects without the value come last in both directions.',
  values: {
    ASC: { description: 'From A to Z, or the earliest first.' },
    DESC: { description: 'From Z to A, or the latest first.' },
  } as const,
});

const fieldNames = { name: 'NAME', createdAt: 'CREATED_AT', updatedAt: 'UPDATED_AT' } as const;

/**
 * Defines the inputs `<name>Order` and `<name>OrderField`.
 *
 * @param name - Name of the nodes' type.
 * @param plural - What the nodes are called in descriptions, for example "collections".
 * @returns The ref of `<name>Order`, for `orderArgs`.
 */
export function orderInput(name: string, plural: string): InputRef<ListOrder> {
  const Field = builder.enumType(`${name}OrderField`, {
    description: `What ${plural} can be ordered by.`,
    values: {
      NAME: {
        value: 'name',
        description: 'The name, ignoring case and accents. Only its first 200 characters count.',
      },
      CREATED_AT: { value: 'createdAt', description: 'When it was created.' },
      UPDATED_AT: { value: 'updatedAt', description: 'When it was last changed.' },
    } as const,
  });
  return builder.inputRef<ListOrder>(`${name}Order`).implement({
    description: `An order of ${plural}. Those with the same value stay in Postman's order.`,
    fields: (t) => ({
      field: t.field({ type: Field, required: true, description: 'What they are ordered by.' }),
      direction: t.field({
        type: OrderDirection,
        required: true,
        defaultValue: 'ASC',
        description: 'Default: `ASC`.',
      }),
    }),
  });
}

/**
 * Makes the arguments `orderBy` and `updatedAfter` of a connection field.
 *
 * @param order - The input that `orderInput` returned.
 * @param plural - What the nodes are called in descriptions.
 * @param wholeList - The calls that read the whole list, for example "one `GET /environments`".
 */
export function orderArgs(order: InputRef<ListOrder>, plural: string, wholeList: string) {
  return builder.args((t) => ({
    orderBy: t.field({
      type: order,
      description:
        "Order of the list. Default: Postman's order. A cursor is valid only in the order it came from.\n" +
        `Cost: the whole list is read, not only the page: ${wholeList}.`,
    }),
    updatedAfter: t.field({
      type: 'DateTime',
      description:
        `Only ${plural} that were last changed later than this; those whose \`updatedAt\` is null are left out. ` +
        '`totalCount` counts the others.\n' +
        `Cost: as \`orderBy\` by a date. Fields that are read for each node are read only for the nodes of the page.`,
    }),
  }));
}

/**
 * Checks the arguments of a list that can be ordered.
 *
 * @param defaultFirst - Used when the client passes `first: null`.
 * @throws {GraphQLError} BAD_USER_INPUT, as `parsePageArgs` does; also for a cursor of a list in another order.
 */
export function parseListArgs(args: ListArgs, defaultFirst: number): ListPageRequest {
  const { orderBy, updatedAfter } = args;
  if (orderBy == null && updatedAfter == null) return parsePageArgs(args, defaultFirst);
  const { first } = parsePageArgs({ first: args.first }, defaultFirst);
  const order = orderBy ?? undefined;
  const after = args.after == null ? undefined : parseOrderedCursor(args.after, toOrderName(order));
  return { first, after: undefined, ordering: { order, updatedAfter: updatedAfter ?? undefined, after } };
}

/** Returns the name of an order in cursors, for example `UPDATED_AT DESC`; empty for Postman's order. */
export function toOrderName(order: ListOrder | undefined): string {
  return order ? `${fieldNames[order.field]} ${order.direction}` : '';
}
