const MAX_LENGTH = 300;

// Inputs can be whole bodies: nothing after this point looks at more than this.
const MAX_READ = 4096;

// Fewer characters than this give nothing of a secret away, and ordinary text may end in them.
const MIN_PARTIAL_LENGTH = 4;

/**
 * Makes text of the upstream fit to be shown: one short line without control characters and without API keys.
 *
 * @param text - Anything the upstream sent, of any length.
 * @param secret - A key to remove wherever it stands, whatever it looks like.
 * @returns At most 300 characters; what was removed reads `[redacted]`.
 */
export function redact(text: string, secret?: string): string {
  // Controls go first: one inside a key would hide it from the search below.
  let clean = text.slice(0, MAX_READ).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '');
  if (secret !== undefined && secret !== '')
    clean = removePartialSecret(clean.replaceAll(secret, '[redacted]'), secret);
  const redacted = clean.replace(/PM(?:AK|AT)-[A-Za-z0-9-]+/gi, '[redacted]').slice(0, MAX_LENGTH);
  // A pair of surrogates may have been halved.
  return redacted.replace(/[\uD800-\uDBFF]$/, '').trim();
}

/** Whoever cut the text may have cut through the secret: takes the beginning of one off the end. */
function removePartialSecret(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= MIN_PARTIAL_LENGTH; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length);
  }
  return text;
}
