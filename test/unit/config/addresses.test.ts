import { describe, expect, it } from 'vitest';
import { isAllowedHost, isLoopbackAddress, parseHostAndPort } from '../../../src/config/addresses.ts';

describe('isLoopbackAddress', () => {
  it.each([
    'localhost',
    'LocalHost',
    'localhost.',
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
  ])('accepts %s as loopback', (host) => {
    expect(isLoopbackAddress(host)).toBe(true);
  });

  it.each([
    '',
    '0.0.0.0',
    '::',
    '[::]',
    '128.0.0.1',
    '10.0.0.1',
    '::2',
    '::ffff:10.0.0.1',
    'example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    'notlocalhost',
    '127.1',
    'localhost:4000',
  ])('does not accept %j as loopback', (host) => {
    expect(isLoopbackAddress(host)).toBe(false);
  });
});

describe('parseHostAndPort', () => {
  it.each([
    ['Example.COM.', { host: 'example.com' }],
    ['example.com:8080', { host: 'example.com', port: '8080' }],
    ['example.com:', { host: 'example.com' }],
    ['my_service', { host: 'my_service' }],
    ['192.0.2.1:80', { host: '192.0.2.1', port: '80' }],
    ['[2001:DB8::1]:443', { host: '2001:db8::1', port: '443' }],
  ])('reads %s', (text, expected) => {
    expect(parseHostAndPort(text)).toEqual(expected);
  });

  it.each([
    '',
    '.',
    ':80',
    '::1',
    '[::1',
    '[example.com]',
    'a..b',
    '-a.com',
    '*.example.com',
    'a b',
    'a@b',
    'http://a',
    'a/b',
    'a:b',
    'a:123456',
    '127.1',
    '0',
    '1.2.3.999',
    'a,b',
    'münchen.example',
  ])('refuses %j', (text) => {
    expect(parseHostAndPort(text)).toBeUndefined();
  });
});

describe('isAllowedHost', () => {
  it.each([
    'localhost',
    'LOCALHOST:4000',
    'localhost.:4000',
    '127.0.0.1',
    '127.0.0.1:4000',
    '127.8.8.8',
    '[::1]',
    '[::1]:4000',
  ])('accepts loopback as %s', (header) => {
    expect(isAllowedHost(header, [])).toBe(true);
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:4000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    'localhost, evil.example',
    '[::1].evil.example',
    '0.0.0.0',
    '10.0.0.1:4000',
  ])('refuses %j without a list', (header) => {
    expect(isAllowedHost(header, [])).toBe(false);
  });

  it('accepts a listed name in any case, with or without trailing dot and port', () => {
    const headers = ['graphql.test', 'GraphQL.Test:4000', 'graphql.test.:80', '[2001:db8::1]:4000'];
    expect(headers.map((header) => isAllowedHost(header, ['graphql.TEST', '[2001:DB8::1]']))).toEqual(
      headers.map(() => true),
    );
  });

  it('rejects names that only begin or end with a listed one', () => {
    const headers = ['x.graphql.test', 'graphql.test.evil.example', 'graphql.tes'];
    expect(headers.map((header) => isAllowedHost(header, ['graphql.test']))).toEqual([false, false, false]);
  });

  it('accepts a name listed with a port only with that port', () => {
    const headers = ['graphql.test:4000', 'graphql.test:4001', 'graphql.test'];
    expect(headers.map((header) => isAllowedHost(header, ['graphql.test:4000']))).toEqual([true, false, false]);
  });
});
