import { builder } from '../builder.ts';

builder.scalarType('DateTime', {
  description: 'A point in time, as RFC 3339 text in UTC, for example `2026-03-01T09:30:00.000Z`.',
  serialize: (value) => value,
});

builder.scalarType('JSON', {
  description: 'Any JSON value: text, number, boolean, null, a list or an object. No fields can be selected on it.',
  serialize: (value) => value,
});
