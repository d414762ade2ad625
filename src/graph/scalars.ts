import { GraphQLError, Kind } from 'graphql';
import { badUserInput } from './errors/bad-user-input.ts';
import { builder } from './builder.ts';

// RFC 3339. Its leap seconds have no time in JavaScript, and are refused below.
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

builder.scalarType('DateTime', {
  description:
    'A point in time, as RFC 3339 text in UTC, for example `2026-03-01T09:30:00.000Z`. Arguments may have any offset ' +
    'from UTC, as in `2026-03-01T10:30:00+01:00`.',
  serialize: (value) => value,
  parseValue: toUtc,
  parseLiteral(node) {
    try {
      return toUtc(node.kind === Kind.STRING ? node.value : undefined);
    } catch (error) {
      // GraphQL locates only errors that have no code of their own.
      if (!(error instanceof GraphQLError)) throw error;
      throw new GraphQLError(error.message, { nodes: node, extensions: error.extensions });
    }
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value: text, number, boolean, null, a list or an object. No fields can be selected on it.',
  serialize: (value) => value,
});

/**
 * Parses RFC 3339 text.
 *
 * @returns The time in UTC with milliseconds: of two such texts, the earlier one sorts first.
 * @throws {GraphQLError} BAD_USER_INPUT
 */
function toUtc(value: unknown): string {
  const [, date, time] = typeof value === 'string' ? (DATE_TIME.exec(value) ?? []) : [];
  // Date accepts February 30, so the date and time must be unchanged by it.
  const isReal = date !== undefined && toIso(`${date}T${time}Z`)?.startsWith(`${date}T${time}`);
  const utc = isReal ? toIso(String(value).toUpperCase()) : undefined;
  if (utc?.length === 'YYYY-MM-DDTHH:MM:SS.sssZ'.length) return utc;
  throw badUserInput('A DateTime is RFC 3339 text with an offset, for example "2026-03-01T09:30:00Z".');
}

function toIso(text: string): string | undefined {
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : new Date(epochMs).toISOString();
}
