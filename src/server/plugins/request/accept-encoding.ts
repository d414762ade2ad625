/** Whether `Accept-Encoding` names a coding, and not with `q=0`. `*` does not count: clients that mean a coding name it. */
export function acceptsCoding(header: string | null, coding: string): boolean {
  return (header ?? '')
    .slice(0, 1_000)
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()))
    .some(([name, ...parameters]) => name === coding && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one)));
}
