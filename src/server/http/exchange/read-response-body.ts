/** Reads the body of a complete response of Yoga without a copy. It can be read again: Yoga's Response keeps it. */
export async function readResponseBody(response: Response): Promise<Buffer> {
  const bytes: unknown = await response.arrayBuffer();
  // Yoga's Response returns the Buffer that it has, or makes one of its text.
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes as ArrayBuffer);
}
