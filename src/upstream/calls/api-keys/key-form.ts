interface KeyForm {
  readonly pattern: RegExp;
  readonly advice: string;
}

// The first match counts. The advice quotes nothing of a key except well-known prefixes.
const FORMS: readonly KeyForm[] = [
  {
    pattern: /^(?:bearer|basic|token|(?:x-)?api[-_]?key)\b[\s:=]/i,
    advice: 'There is a word before the key, such as Bearer: send the key alone.',
  },
  {
    pattern: /^(?:\{\{.*\}\}|\$\{.*\}|\$[A-Z_]+|%\w+%|<.*>|process\.env\b.*|undefined|null|none|nan|\[object .*\])$/i,
    advice: 'It is the name of a variable, a placeholder or an empty value, not a key.',
  },
  {
    pattern: /^["'`([{]|["'`)\]}]$/,
    advice: 'There are quotation marks or brackets around the key: send it without them.',
  },
  {
    pattern: /[\s,;]/,
    advice: 'It contains white space, a comma or a semicolon: the key was sent twice, or with something else.',
  },
  {
    pattern: /^PMAT-/i,
    advice:
      'It begins with PMAT-, so it is a collection access key, which reads one collection and nothing else. Send an API key, which begins with PMAK-.',
  },
  {
    pattern: /^pma_at_|^eyJ/,
    advice:
      "It is an access token, such as a service account's, not an API key. API keys begin with PMAK-, also those of service accounts.",
  },
  {
    pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
    advice: 'It is an id, such as that of a workspace, not an API key. API keys begin with PMAK-.',
  },
  {
    pattern: /^PMAK-(?![\da-z]{24}-[\da-z]{34}$)/i,
    advice:
      'It does not have the form of a complete API key (PMAK-, 24 characters, a hyphen, 34 characters): it may have been cut off, or be a placeholder.',
  },
  {
    pattern: /^(?!PMAK-)(?![\da-f]{32,64}$)/i,
    advice:
      'A Postman API key begins with PMAK-, and this one does not. SCIM keys and keys of other services do not work here.',
  },
];

/**
 * Explains what is wrong with the form of a supposed Postman API key, and what to change.
 *
 * @param text - The text that was sent. The advice contains no part of it.
 * @returns One or two sentences; undefined if the text may be an API key.
 */
export function adviseOnKeyForm(text: string): string | undefined {
  return FORMS.find(({ pattern }) => pattern.test(text))?.advice;
}
