/** Splits a block of headers into lines. An indented line without a colon continues the one before. */
export function headerLines(block: string): string[] {
  const lines: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    if (/^[ \t]/.test(line) && !line.includes(':') && lines.length > 0) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}
