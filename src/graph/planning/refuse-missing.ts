import { UpstreamError } from '../../upstream/http/upstream-error.ts';

/**
 * Refuses to resolve a field of an object that has disappeared.
 *
 * @param type - Name of its type, for example `Collection`.
 * @throws {UpstreamError} Always.
 */
export function refuseMissing(type: string, id: string): never {
  throw new UpstreamError(
    'badResponse',
    `Postman has shown the ${type.toLowerCase()} ${id}, and now responds that it does not exist. It may have just been deleted.`,
    {},
  );
}
