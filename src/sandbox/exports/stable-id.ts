import { hash } from 'node:crypto';

/** A UUID of version 8 (custom ids), hashed from the parts: the same parts always give the same id. */
export function toStableId(...parts: readonly (string | number)[]): string {
  const hex = hash('sha256', JSON.stringify(parts), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
