import { headerLines } from '../syntax/header-lines.ts';
import { maskRows } from './mask-rows.ts';
import { maskRowText } from './mask-url-text.ts';

/** Masks the credentials in headers: rows, lines, a block of lines, or an object that maps names to values. */
export function maskHeaders(json: unknown, levels: number): unknown {
  return maskRows(json, levels, maskHeaderBlock);
}

function maskHeaderBlock(block: string): string {
  const lines = headerLines(block);
  const masked = lines.map(maskHeaderLine);
  return masked.some((line, index) => line !== lines[index]) ? masked.join('\n') : block;
}

/** Masks the credential in a line. A leading `//` marks a disabled header. */
function maskHeaderLine(line: string): string {
  const colon = line.indexOf(':', line.trimStart().startsWith('//') ? line.indexOf('//') + 2 : 0);
  if (colon === -1) return line;
  const value = line.slice(colon + 1).trim();
  const shown = maskRowText(line.slice(0, colon).trim(), value);
  return shown === value ? line : `${line.slice(0, colon)}: ${shown}`;
}
