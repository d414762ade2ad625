const longestText = 200;

/**
 * Text of a file, a path or a message as one line of a terminal or log can show it: clipped to 200 characters, with quotes,
 * control characters and characters that turn the direction of writing as JSON escapes.
 */
export function toPrintable(text: string): string {
  const clipped = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return JSON.stringify(clipped)
    .slice(1, -1)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    });
}
