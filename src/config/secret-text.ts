const QUOTES = /^(["'`])(.*)\1$/s;

/**
 * Leaves out what tools add to a secret when they hand it over: a byte order mark, the end of the line, white space and quotes around it.
 * The end of the line is how every editor ends a file, so nothing is said of it.
 *
 * @returns The secret as it was meant; and what was left out, for people.
 */
export function cleanSecret(given: string) {
  const removed: string[] = [];
  let text = given.replace(/\r?\n$/, '');
  const remove = (what: string, next: string) => {
    if (next === text) return;
    removed.push(what);
    text = next;
  };
  remove('a byte order mark', text.replace(/^\uFEFF/, ''));
  // trim() would take the byte order mark for white space.
  remove('white space around it', text.trim());
  remove('quotes around it', text.replace(QUOTES, '$2'));
  return { text, removed };
}

// Beginnings by which base64 of what begins like an API key, or like its header, is known.
const BASE64_BEGINNINGS = ['PMAK-', '"PMAK-', 'X-Api-Key'].map((text) =>
  Buffer.from(text)
    .toString('base64')
    .slice(0, Math.floor((text.length * 8) / 6)),
);

/** What stands in examples where a secret belongs. */
const PLACEHOLDERS: readonly RegExp[] = [
  /^(?:null|undefined|none|nil|false|true|todo|tbd|example|placeholder|redacted|changeme|change[-_]me|replace[-_]?me)$/i,
  /^(?:your|my|the|insert|enter|put|paste)[-_].*(?:key|token|secret|here)/i,
  /^(?:key|token|secret|api[-_]?key|access[-_]?token|postman[-_]?api[-_]?key)$/i,
  /^(?:PMAK-)?(?:[x*.]{3,}|…)(?:-[x*.]+)*$/i,
  /^(?:PMAK-)?(?:<.*>|\[.*\]|\{\{.*\}\})$/,
  /^(?:\$\{.*\}|\$\(.*\)|\$[A-Z_]+|%[A-Z_]+%|\$\{\{.*\}\})$/i,
  /^PMAK-?$/i,
];

/**
 * Tells why a text cannot be a secret that works.
 *
 * @returns The reason, which does not repeat the text; undefined where there is none.
 */
export function faultOfSecret(text: string): string | undefined {
  if (text === '') return 'it is blank, or nothing but quotes';
  if (PLACEHOLDERS.some((pattern) => pattern.test(text)))
    return 'it is a placeholder, or a reference that nothing has replaced';
  if (/^(?:authorization:\s*)?bearer\s/i.test(text)) return 'it begins with "Bearer": give what comes after it';
  if (/^(?:x-api-key|authorization)\s*:/i.test(text))
    return 'it begins with the name of a header: give what comes after it';
  if (/^(?:export\s+)?(?:POSTMAN_API_KEY|ACCESS_TOKEN)\s*[=:]/.test(text))
    return 'it begins with the name of the variable: give what comes after it';
  if (/[\r\n]/.test(text)) return 'it is more than one line';
  if (text.includes('\0')) return 'it has NUL in it, as text in UTF-16 has';
  if (/[\u2018-\u201F]/.test(text)) return 'it has typographic quotes';
  if (/\s/.test(text)) return 'it has white space in it';
  if (!/^[!-~]*$/.test(text)) return 'it has characters that are not visible ASCII';
  return text.length > 256 ? 'it is longer than 256 characters' : undefined;
}

/** As `faultOfSecret`, of what is to be an API key of Postman. */
export function faultOfApiKey(text: string): string | undefined {
  if (/^PMAT-/i.test(text))
    return 'it is an access key of one collection (PMAT-), with which the Postman API answers nothing else: give an API key (PMAK-)';
  if (BASE64_BEGINNINGS.some((beginning) => text.startsWith(beginning))) return 'it is base64 of an API key: decode it';
  if (/^(?:\.{0,2}\/|[A-Z]:\\|file:)/i.test(text)) return 'it is a path: a file is named by POSTMAN_API_KEY_FILE';
  if (/["'`,;]$|^["'`]/.test(text)) return 'it has a quote or another mark at one end';
  if (/^PMAK-.*PMAK-/i.test(text)) return 'it is two API keys in one';
  return faultOfSecret(text);
}
