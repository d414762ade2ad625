interface KeyForm {
  readonly pattern: RegExp;
  readonly advice: string;
}

// The first that fits counts. Of a key nothing is quoted but prefixes that everybody knows.
const FORMS: readonly KeyForm[] = [
  {
    pattern: /^(?:bearer|basic|token|(?:x-)?api[-_]?key)\b[\s:=]/i,
    advice: 'There is a word before the key, such as Bearer: send the key alone.',
  },
  {
    pattern: /^(?:\{\{.*\}\}|\$\{.*\}|\$[A-Z_]+|%\w+%|<.*>|process\.env\b.*|undefined|null|none|nan|\[object .*\])$/i,
    advice: 'It is the name of a variable, a placeholder or no value at all, in place of a key.',
  },
  {
    pattern: /^["'`([{]|["'`)\]}]$/,
    advice: 'There are quotation marks or brackets around the key: send it without them.',
  },
  {
    pattern: /[\s,;]/,
    advice: 'There is white space, a comma or a semicolon in it: it was sent twice, or with something else.',
  },
  {
    pattern: /^PMAT-/i,
    advice:
      'What begins with PMAT- is a collection access key: it is the access_key of one collection and reads nothing else. An API key is wanted, which begins with PMAK-.',
  },
  {
    pattern: /^pma_at_|^eyJ/,
    advice:
      "It is an access token, such as a service account's, and not an API key: that one begins with PMAK-, also of a service account.",
  },
  {
    pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
    advice: 'It is an id, such as that of a workspace, and not an API key, which begins with PMAK-.',
  },
  {
    pattern: /^PMAK-(?![\da-z]{24}-[\da-z]{34}$)/i,
    advice:
      'It has not the form of a whole API key, PMAK- with 24 and 34 characters and a hyphen between: it may have been cut off, or be a placeholder.',
  },
  {
    pattern: /^(?!PMAK-)(?![\da-f]{32,64}$)/i,
    advice:
      'An API key of Postman begins with PMAK-, which it does not: keys for SCIM, and those of other services, are none.',
  },
];

/**
 * Tells what is wrong with the form of what somebody took for a Postman API key, and what to change.
 *
 * @param text - What was sent. No part of it is in the advice.
 * @returns A sentence or two; undefined for what may be a key.
 */
export function adviseOnKeyForm(text: string): string | undefined {
  return FORMS.find(({ pattern }) => pattern.test(text))?.advice;
}
