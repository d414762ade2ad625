import { hash } from 'node:crypto';

/** An id shaped like a UUID of version 8, the version for ids of one's own making; the same parts give the same id everywhere. */
export function toStableId(...parts: readonly (string | number)[]): string {
  const hex = hash('sha256', JSON.stringify(parts), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
