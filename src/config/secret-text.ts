const QUOTES = /^(["'`])(.*)\1$/s;

/**
 * Removes what tools add around a secret: a byte order mark, the end of the line, white space and quotes.
 *
 * @returns The secret, and what was removed, for a warning. The end of the line is not in it: every editor ends a file
 *   with one.
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
  // The byte order mark first: trim() would remove it as white space.
  remove('white space around it', text.trim());
  remove('quotes around it', text.replace(QUOTES, '$2'));
  return { text, removed };
}

/** How the base64 of every text with this beginning begins. */
const toBase64Beginning = (text: string) =>
  Buffer.from(text)
    .toString('base64')
    .slice(0, Math.floor((text.length * 8) / 6));
// Of an API key, or of its header. Values of a Kubernetes secret are base64, so they may be encoded twice.
const ONCE = ['PMAK-', '"PMAK-', 'X-Api-Key', 'Bearer PMAK-'].map(toBase64Beginning);
const BASE64_BEGINNINGS = [...ONCE, ...ONCE.map(toBase64Beginning)];
const HEX_BEGINNING = new RegExp(`^${Buffer.from('PMAK-').toString('hex')}`, 'i');

/** References that a secret manager or a tool should have replaced by the secret. */
const REFERENCES: readonly RegExp[] = [
  /^(?:op|vault|ref\+[\w+]+|awssecretsmanager|azurekeyvault|gcpsecretmanager|doppler|infisical):/i,
  /^arn:aws[\w-]*:/,
  /^projects\/[^/]+\/secrets\//,
  /^ENC\[/,
];

/** Placeholders that examples have in place of a secret. */
const PLACEHOLDERS: readonly RegExp[] = [
  /^(?:null|undefined|none|nil|false|true|todo|tbd|example|placeholder|redacted)$/i,
  /^(?:changeme|change[-_]me|replace[-_]?me)$/i,
  /^(?:your|my|the|insert|enter|put|paste)[-_].*(?:key|token|secret|here)/i,
  /^(?:key|token|secret|api[-_]?key|access[-_]?token|postman[-_]?api[-_]?key)$/i,
  /^(?:PMAK-)?(?:[x*.]{3,}|…)(?:-[x*.]+)*$/i,
  /^(?:PMAK-)?(?:<.*>|\[.*\]|\{\{.*\}\})$/,
  /^(?:\$\{.*\}|\$\(.*\)|\$[A-Z_]+|%[A-Z_]+%|\$\{\{.*\}\})$/i,
  /^PMAK-?$/i,
];

/**
 * Finds out why a text cannot be a secret.
 *
 * @returns The reason, without the text; undefined if nothing is wrong with it.
 */
export function faultOfSecret(text: string): string | undefined {
  if (text === '') return 'it is blank, or only quotes';
  if (/^[[{]\s*["'\]}]|["']\s*[\]}]$/.test(text)) return 'it is JSON: give the value in it';
  if (PLACEHOLDERS.some((pattern) => pattern.test(text)))
    return 'it is a placeholder, or a reference that was not replaced by its value';
  if (REFERENCES.some((pattern) => pattern.test(text)))
    return 'it is a reference to a secret manager that was not replaced by the secret';
  if (/(?:\\[rn]|%0[AD])$/i.test(text)) return 'it ends with an escaped end of line';
  if (/^(?:authorization:\s*)?bearer\s/i.test(text)) return 'it begins with "Bearer": give what comes after it';
  if (/^(?:x-api-key|authorization)\s*:/i.test(text))
    return 'it begins with the name of a header: give what comes after it';
  if (/^(?:export\s+)?(?:POSTMAN_API_KEY|ACCESS_TOKEN|WEBHOOK_SECRET)\s*[=:]/.test(text))
    return 'it begins with the name of the variable: give what comes after it';
  if (/[\r\n]/.test(text)) return 'it is more than one line';
  if (text.includes('\0')) return 'it has NUL characters: it may be UTF-16';
  if (/[\u2018-\u201F]/.test(text)) return 'it has typographic quotes';
  if (/\s/.test(text)) return 'it has white space inside';
  if (!/^[!-~]*$/.test(text)) return 'it has characters that are not visible ASCII';
  return text.length > 256 ? 'it is longer than 256 characters' : undefined;
}

/** Finds out why a text cannot be a Postman API key, like `faultOfSecret`. */
export function faultOfApiKey(text: string): string | undefined {
  if (/^PMAT-/i.test(text))
    return 'it is an access key (PMAT-), which gives access to a single collection: give an API key (PMAK-)';
  if (BASE64_BEGINNINGS.some((beginning) => text.startsWith(beginning))) return 'it is base64 of an API key: decode it';
  if (HEX_BEGINNING.test(text)) return 'it is the hexadecimal form of an API key: decode it';
  if (/^https?:/i.test(text)) return 'it is an address: give the key itself';
  if (/^(?:[.~]{0,2}\/|[A-Z]:\\|file:)/i.test(text)) return 'it is a path: set POSTMAN_API_KEY_FILE to it';
  if (/^PMAK-.*PMAK-/i.test(text)) return 'it is two API keys in one';
  const fault = faultOfSecret(text);
  if (fault !== undefined) return fault;
  if (/["'`,;)\]}>]$|^["'`([{<]/.test(text)) return 'it has a quote or another mark at one end';
  return /^[\w.-]+[:=][^=]/.test(text) ? 'it begins with a name: give what comes after it' : undefined;
}
