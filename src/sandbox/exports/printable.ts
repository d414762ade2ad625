const longestText = 200;

/**
 * Makes text from a file, a path or a message safe for one line of a terminal or log: clips it to 200 characters, and
 * writes quotes, control characters and characters that change the writing direction as JSON escapes.
 */
export function toPrintable(text: string): string {
  const clipped = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return JSON.stringify(clipped)
    .slice(1, -1)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    });
}
