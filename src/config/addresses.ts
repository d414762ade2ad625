import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Reads a host with or without a port, as in a `Host` header: `localhost`, `example.com:8080`, `[::1]:4000`.
 *
 * @returns The host in lower case, without brackets and trailing dot, and the port; undefined for any other text. An
 *   IPv6 address needs its brackets. A name that ends in a number must be an IPv4 address.
 */
export function parseHostAndPort(text: string): { readonly host: string; readonly port?: string } | undefined {
  const match = /^(?:\[([\d.:a-f]{2,45})\]|([\w.-]{1,254}))(?::(\d{0,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name, port] = match;
  const host = (ipv6 ?? name ?? '').toLowerCase().replace(/\.$/, '');
  const isValid = ipv6 === undefined ? isHostName(host) : isIPv6(ipv6);
  if (!isValid) return undefined;
  return port ? { host, port } : { host };
}

/**
 * Whether a host is this machine: 127.0.0.0/8, `::1` or `localhost`.
 *
 * @param host - An address, an IPv6 address in brackets, or a name.
 */
export function isLoopbackAddress(host: string): boolean {
  const bare = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  if (bare === 'localhost') return true;
  const family = isIP(bare);
  return family !== 0 && loopback.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether a server on loopback may serve a request with this `Host` header. In a DNS rebinding attack a web page makes
 * its own name resolve to 127.0.0.1 and sends that name, which is neither loopback nor in the list.
 *
 * @param allowedHosts - Further host names; one without a port matches every port.
 */
export function isAllowedHost(hostHeader: string | undefined, allowedHosts: readonly string[]): boolean {
  const requested = hostHeader === undefined ? undefined : parseHostAndPort(hostHeader);
  if (requested === undefined) return false;
  if (isLoopbackAddress(requested.host)) return true;
  return allowedHosts.some((entry) => {
    const allowed = parseHostAndPort(entry);
    return allowed?.host === requested.host && (allowed.port === undefined || allowed.port === requested.port);
  });
}

/**
 * Reads an address or a subnet, such as `10.0.0.0/8`, `127.0.0.1` or `fd00::/8`.
 *
 * @returns undefined for any other text. The prefix of an address is its full length.
 */
export function parseSubnet(text: string): { readonly address: string; readonly prefix: number } | undefined {
  const [, address = '', prefix] = /^([\d.:a-f]{2,45})(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const length = prefix === undefined ? bits : Number(prefix);
  return bits > 0 && length <= bits ? { address, prefix: length } : undefined;
}

/**
 * Reads an http or https origin as browsers send it, such as `https://app.example.com`.
 *
 * @returns undefined for any other text.
 */
export function toOrigin(given: string): string | undefined {
  if (/\s/.test(given) || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  // URL accepts "*" as a host name. The second check rejects a user name, path, query or fragment, even an empty one.
  return parseHostAndPort(url.host) !== undefined && url.href === `${url.origin}/` ? url.origin : undefined;
}

function isHostName(host: string): boolean {
  if (/(?:^|\.)\d+$/.test(host)) return isIPv4(host);
  return host.split('.').every((label) => /^\w(?:[\w-]{0,61}\w)?$/.test(label));
}
