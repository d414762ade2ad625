/*
 * `{{variable}}` references inside text. Everything between the braces is part of the name, so a slash, dot or question
 * mark in it separates nothing. Every function here takes linear time.
 */

/** Returns the positions at which a character stands outside of `{{variable}}` references, ascending. */
export function positionsOutsideReferences(text: string, character: string): number[] {
  const positions: number[] = [];
  if (!text.includes(character)) return positions;
  // No reference can close after this. Otherwise each of many open braces would cost a search to the end of the text.
  const lastClose = text.lastIndexOf('}}');
  const nextOpen = (from: number): number => {
    const open = text.indexOf('{{', from);
    return open === -1 || open + 2 > lastClose ? Number.POSITIVE_INFINITY : open;
  };
  let open = nextOpen(0);
  let at = text.indexOf(character);
  while (at !== -1) {
    if (open < at) {
      const end = text.indexOf('}}', open + 2) + 2;
      if (at < end) at = text.indexOf(character, end);
      open = nextOpen(end);
    } else {
      positions.push(at);
      at = text.indexOf(character, at + 1);
    }
  }
  return positions;
}

/** Splits text wherever a character stands outside of references. Text without it gives one part. */
export function splitOutsideReferences(text: string, character: string): string[] {
  if (!text.includes('{{')) return text.split(character);
  const parts: string[] = [];
  let start = 0;
  for (const position of positionsOutsideReferences(text, character)) {
    parts.push(text.slice(start, position));
    start = position + 1;
  }
  parts.push(text.slice(start));
  return parts;
}

/** Returns where a character first stands outside of references; -1 if it nowhere does. */
export function indexOutsideReferences(text: string, character: string): number {
  let at = text.indexOf(character);
  let open = at === -1 ? -1 : text.indexOf('{{');
  if (open === -1 || open > at) return at;
  const lastClose = text.lastIndexOf('}}');
  while (open !== -1 && open < at && open + 2 <= lastClose) {
    const end = text.indexOf('}}', open + 2) + 2;
    if (at < end) at = text.indexOf(character, end);
    open = text.indexOf('{{', end);
  }
  return at;
}

/** Cuts text where a character first stands outside of references; the second part is null if it nowhere does. */
export function cutOutsideReferences(text: string, character: string): [before: string, after: string | null] {
  const position = indexOutsideReferences(text, character);
  return position === -1 ? [text, null] : [text.slice(0, position), text.slice(position + 1)];
}

/** Removes the references from text; null if it has none. */
export function textAroundReferences(text: string): string | null {
  const lastClose = text.lastIndexOf('}}');
  const rest: string[] = [];
  let start = 0;
  let open = text.indexOf('{{');
  if (open === -1 || open + 2 > lastClose) return null;
  while (open !== -1 && open + 2 <= lastClose) {
    rest.push(text.slice(start, open));
    start = text.indexOf('}}', open + 2) + 2;
    open = text.indexOf('{{', start);
  }
  rest.push(text.slice(start));
  return rest.join('');
}
