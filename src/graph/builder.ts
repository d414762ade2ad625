import SchemaBuilder from '@pothos/core';
import type { Context } from './context.ts';

/** The Pothos builder of the graph. It holds no types itself: each file beside it adds its own. Fields are nullable unless they say otherwise. */
export const builder = new SchemaBuilder<{
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
    _Any: { Input: unknown; Output: unknown };
  };
}>({});
