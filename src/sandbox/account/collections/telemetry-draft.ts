import type { CollectionDocument } from '../collection-format.ts';

/** A collection with a name and no items. */
export function createTelemetryDraft(): CollectionDocument {
  return { info: { name: 'Fleet telemetry (draft)' }, item: [] };
}
