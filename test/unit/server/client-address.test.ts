import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseSubnet } from '../../../src/config/addresses.ts';
import { createClientAddressOf } from '../../../src/server/http/client-address.ts';

/** The client address of a request, by the address of its connection and its X-Forwarded-For. */
const addressOf = (trustedProxies: readonly string[], remoteAddress: string | undefined, forwarded?: string) =>
  createClientAddressOf(trustedProxies, () => undefined)(toRequest(remoteAddress, forwarded));

function toRequest(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe('the address of a client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::5:6', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('is that of the connection: %s', (remote, address) => {
    expect(addressOf([], remote)).toBe(address);
  });

  it('is not taken from X-Forwarded-For unless a trusted proxy sent it', () => {
    expect(addressOf([], '192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
    expect(addressOf(['10.0.0.0/8'], '192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
  });

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.9,198.51.100.7 , 10.0.0.2', '198.51.100.7'],
    ['198.51.100.7:4711', '198.51.100.7'],
    ['[2001:db8:1:2::3]:4711', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::3', '2001:db8:1:2::/64'],
    ['203.0.113.9, unknown', '10.0.0.1'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['', '10.0.0.1'],
    [undefined, '10.0.0.1'],
  ])('is the last one in X-Forwarded-For that is not a trusted proxy: %s', (forwarded, address) => {
    expect(addressOf(['10.0.0.0/8'], '10.0.0.1', forwarded)).toBe(address);
  });

  it('is found behind a proxy on this machine that connects over IPv4 or IPv6', () => {
    expect(addressOf(['127.0.0.1', '::1'], '::ffff:127.0.0.1', '198.51.100.7')).toBe('198.51.100.7');
    expect(addressOf(['127.0.0.1', '::1'], '::1', '198.51.100.7')).toBe('198.51.100.7');
  });

  it('reports once that a header was ignored', () => {
    let ignored = 0;
    const clientAddressOf = createClientAddressOf(['10.0.0.1'], () => ignored++);
    clientAddressOf(toRequest('192.0.2.1'));
    clientAddressOf(toRequest('10.0.0.1', '198.51.100.7'));
    const before = ignored;
    for (let index = 0; index < 3; index++) clientAddressOf(toRequest('192.0.2.1', '198.51.100.7'));
    expect([before, ignored]).toEqual([0, 1]);
  });

  it('is found in a very long header', () => {
    expect(addressOf(['10.0.0.1'], '10.0.0.1', `${'203.0.113.9, '.repeat(10_000)}198.51.100.7`)).toBe('198.51.100.7');
  });
});

describe('parseSubnet', () => {
  it.each([
    ['127.0.0.1', { address: '127.0.0.1', prefix: 32 }],
    ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8 }],
    ['fd00::/8', { address: 'fd00::', prefix: 8 }],
    ['::1', { address: '::1', prefix: 128 }],
    ['10.0.0.0/33', undefined],
    ['::1/129', undefined],
    ['10.0.0/8', undefined],
    ['proxy.test', undefined],
    ['', undefined],
  ])('%s', (text, subnet) => {
    expect(parseSubnet(text)).toEqual(subnet);
  });
});
