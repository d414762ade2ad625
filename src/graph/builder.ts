import SchemaBuilder from '@pothos/core';
import type { Context } from './context.ts';

/** The Pothos builder that every file of this module adds its types to. Fields are nullable by default. */
export const builder = new SchemaBuilder<{
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
    _Any: { Input: unknown; Output: unknown };
  };
}>({});
