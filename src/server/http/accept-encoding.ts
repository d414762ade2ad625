/** Size from which responses are compressed, in bytes. Smaller ones fit into one packet uncompressed. */
export const MIN_COMPRESSED_BYTES = 1_024;

/** Level of gzip for responses. */
export const GZIP_LEVEL = 4;

/**
 * Whether `Accept-Encoding` names a coding, and not with `q=0`. `*` does not count: clients that mean a coding name it.
 *
 * @see RFC 9110, section 12.5.3
 */
export function acceptsCoding(header: string | null, coding: string): boolean {
  return (header ?? '')
    .slice(0, 1_000)
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()))
    .some(([name, ...parameters]) => name === coding && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one)));
}
