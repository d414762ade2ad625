// Smaller responses fit into one packet uncompressed.
/** Size from which responses are compressed, in bytes. */
export const MIN_COMPRESSED_BYTES = 1_024;

/** Level of gzip for responses. */
export const GZIP_LEVEL = 4;

/**
 * Whether a client accepts gzip: `Accept-Encoding` contains it, and not with `q=0`.
 *
 * @see RFC 9110, section 12.5.3
 */
export function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding
    .slice(0, 1_000)
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()))
    .some(([coding, ...parameters]) => coding === 'gzip' && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one)));
}
