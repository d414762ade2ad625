import type { CollectionDocument } from '../collection-format.ts';

/** A collection somebody has named and not begun. */
export function createTelemetryDraft(): CollectionDocument {
  return { info: { name: 'Fleet telemetry (draft)' }, item: [] };
}
