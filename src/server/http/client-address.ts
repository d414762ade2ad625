import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { parseSubnet } from '../../config/addresses.ts';

/** Tells where a request comes from, so that clients can have fair shares. */
export type ClientAddressOf = (request: IncomingMessage) => string;

const MAX_FORWARDED = 2_000;

/**
 * Makes the function that tells the address of a client: that of the connection or, where a trusted proxy is at the other end, the nearest one
 * in `X-Forwarded-For` that is not a trusted proxy itself. Clients can write anything into that header, so nobody else's is read.
 *
 * @param trustedProxies - Addresses and subnets, as `parseSubnet` reads them.
 * @param onIgnored - Is told once when somebody else says where a request comes from: all clients behind that address count as one.
 * @returns A function to an IPv4 address, the first half of an IPv6 address (a subscriber has all of a /64), or an empty text where there is none.
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
    if (headers['x-forwarded-for'] !== undefined && !isReported && !isTrusted(address)) {
      isReported = true;
      onIgnored();
    }
    const forwarded = String(headers['x-forwarded-for'] ?? '')
      .slice(-MAX_FORWARDED)
      .split(',')
      .map((part) => part.trim());
    while (isTrusted(address)) {
      const before = toBareAddress(forwarded.pop() ?? '');
      if (isIP(before) === 0) break;
      address = before;
    }
    return toNetwork(address);
  };
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Some proxies write a port after the address. */
function toBareAddress(text: string): string {
  return /^\[([\d.:a-f]+)\](?::\d+)?$/i.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

function toNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  // As URLs write it, an address has one form only.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - first.length - last.length }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
