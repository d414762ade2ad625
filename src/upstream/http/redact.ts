const MAX_LENGTH = 300;

// Inputs can be whole bodies; only their beginning is processed.
const MAX_READ = 4096;

// Fewer characters of a secret reveal nothing, and ordinary text may end in them by chance.
const MIN_PARTIAL_LENGTH = 4;

/**
 * Makes text from Postman safe to show: one short line without control characters and without API keys.
 *
 * @param text - Any text from a response, of any length.
 * @param secret - A key of any format to remove wherever it occurs.
 * @returns At most 300 characters, with `[redacted]` in place of keys.
 */
export function redact(text: string, secret?: string): string {
  // Control characters go first: one inside a key would hide the key from the search below.
  let clean = text.slice(0, MAX_READ).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '');
  if (secret !== undefined && secret !== '')
    clean = removePartialSecret(clean.replaceAll(secret, '[redacted]'), secret);
  const redacted = clean.replace(/PM(?:AK|AT)-[A-Za-z0-9-]+/gi, '[redacted]').slice(0, MAX_LENGTH);
  // The cut may have split a surrogate pair.
  return redacted.replace(/[\uD800-\uDBFF]$/, '').trim();
}

/** The text may have been cut in the middle of the secret: removes the secret's beginning from the end of the text. */
function removePartialSecret(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= MIN_PARTIAL_LENGTH; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length);
  }
  return text;
}
