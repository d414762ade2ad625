import type { JsonObject } from './json.ts';
import {
  cutOutsideReferences,
  indexOutsideReferences,
  positionsOutsideReferences,
  splitOutsideReferences,
  textAroundReferences,
} from './references.ts';
import { parsePairs } from './rows.ts';

/** The parts of a URL, undecoded. Missing parts are null or empty. */
export interface UrlParts {
  readonly protocol: string | null;
  readonly host: readonly string[];
  readonly port: string | null;
  readonly path: readonly string[];
  readonly query: readonly JsonObject[];
  readonly hash: string | null;
}

/**
 * Splits a URL into its parts. It may contain `{{variables}}` and `:path` variables anywhere, and need not be valid.
 * A user name and password before the host are left out.
 */
export function parseUrlText(text: string): UrlParts {
  const [beforeHash, hash] = cutOutsideReferences(text, '#');
  const [address, query] = cutOutsideReferences(beforeHash, '?');
  const [protocol, rest] = cutProtocol(address);
  const [authority, path] = cutOutsideReferences(rest, '/');
  const [host, port] = toHostAndPort(authority);
  return {
    protocol,
    host: splitHost(host),
    port,
    path: path === null ? [] : splitOutsideReferences(path, '/'),
    query: query === null ? [] : parsePairs(query),
    hash,
  };
}

/** Splits a host at its dots. An IPv6 address in brackets stays whole; an empty host has no parts. */
export function splitHost(host: string): string[] {
  if (host === '') return [];
  return host.startsWith('[') ? [host] : splitOutsideReferences(host, '.');
}

/** Splits a path at its slashes, without a leading one. An empty path has no segments. */
export function splitPath(path: string): string[] {
  return path === '' ? [] : splitOutsideReferences(path.startsWith('/') ? path.slice(1) : path, '/');
}

/** Cuts `protocol://` off an address; the protocol is null if the address does not start with one. */
export function cutProtocol(address: string): [protocol: string | null, rest: string] {
  const slash = indexOutsideReferences(address, '/');
  // The first slash has to be part of "://": a URL inside the path does not count.
  if (slash < 2 || !address.startsWith('://', slash - 1)) return [null, address];
  return [address.slice(0, slash - 1), address.slice(slash + 2)];
}

/** Where the parts of a URL before its query are in its text. */
export interface Address {
  /** Index after the protocol. */
  readonly authorityStart: number;
  readonly authorityEnd: number;
  /** Index of the query or the hash; the length of the text if it has neither. */
  readonly end: number;
}

/** Finds the parts of a URL before its query. The path begins with the slash at `authorityEnd`, unless that is the end. */
export function locateAddress(text: string): Address {
  const [beforeHash] = cutOutsideReferences(text, '#');
  const [address] = cutOutsideReferences(beforeHash, '?');
  const [, rest] = cutProtocol(address);
  const slash = indexOutsideReferences(rest, '/');
  const authorityStart = address.length - rest.length;
  return {
    authorityStart,
    authorityEnd: slash === -1 ? address.length : authorityStart + slash,
    end: address.length,
  };
}

/** Returns the host of a URL, as `parseUrlText` does, but in one piece; empty if it has none. */
export function toHostText(text: string): string {
  const { authorityStart, authorityEnd } = locateAddress(text);
  return toHostAndPort(text.slice(authorityStart, authorityEnd))[0];
}

/** Splits `user:password@host:port`, and leaves the user info out. */
function toHostAndPort(authority: string): [host: string, port: string | null] {
  const at = positionsOutsideReferences(authority, '@').at(-1);
  const host = at === undefined ? authority : authority.slice(at + 1);
  const colon = positionsOutsideReferences(host, ':').at(-1);
  if (colon === undefined || colon === 0) return [host, null];
  const port = host.slice(colon + 1);
  return /^\d+$/.test(port) || textAroundReferences(port) === '' ? [host.slice(0, colon), port] : [host, null];
}
