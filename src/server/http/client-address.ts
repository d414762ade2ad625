import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { parseSubnet } from '../../config/addresses.ts';

/** Returns the address that a request comes from, which identifies a client for fair shares. */
export type ClientAddressOf = (request: IncomingMessage) => string;

const MAX_FORWARDED_LENGTH = 2_000;

/**
 * Makes the function that finds the address of a client: that of the connection or, if that is a trusted proxy, the
 * last address in `X-Forwarded-For` that is not a trusted proxy itself. The header is ignored on other connections,
 * because clients can write anything into it.
 *
 * @param trustedProxies - Addresses and subnets, as `parseSubnet` reads them.
 * @param onIgnored - Called once, when a header is ignored for the first time: all clients behind that address then
 *   count as one.
 * @returns A function that returns an IPv4 address, the first half of an IPv6 address (a subscriber has a whole /64),
 *   or an empty text if there is no address.
 */
export function createClientAddressOf(trustedProxies: readonly string[], onIgnored: () => void): ClientAddressOf {
  const trusted = new BlockList();
  for (const text of trustedProxies) {
    const subnet = parseSubnet(text);
    if (subnet) trusted.addSubnet(subnet.address, subnet.prefix, familyOf(subnet.address));
  }
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, familyOf(address));

  let isReported = false;

  return ({ socket, headers }) => {
    let address = socket.remoteAddress ?? '';
    if (headers['x-forwarded-for'] === undefined) return toNetwork(address);
    if (!isReported && !isTrusted(address)) {
      isReported = true;
      onIgnored();
    }
    const forwarded = String(headers['x-forwarded-for'])
      .slice(-MAX_FORWARDED_LENGTH)
      .split(',')
      .map((part) => part.trim());
    while (isTrusted(address)) {
      const previous = toBareAddress(forwarded.pop() ?? '');
      if (isIP(previous) === 0) break;
      address = previous;
    }
    return toNetwork(address);
  };
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Removes the port that some proxies write after the address. */
function toBareAddress(text: string): string {
  return /^\[([\d.:a-f]+)\](?::\d+)?$/i.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

function toNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  // URL writes every IPv6 address in its one canonical form.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - first.length - last.length }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
