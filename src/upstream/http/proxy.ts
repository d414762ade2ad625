import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { Secret } from './secret.ts';

/** An HTTP proxy. */
export interface Proxy {
  /** Its address, without user name and password, so it may be shown. */
  readonly url: string;
  /** `Proxy-Authorization` value made of its user name and password; absent: it has none. */
  readonly authorization?: Secret;
}

/** The proxy for outgoing calls, and its exceptions. */
export interface ProxySettings extends Proxy {
  /** Hosts that are called directly, in the format of NO_PROXY. */
  readonly noProxy: string;
}

/**
 * Parses the address of a proxy as HTTPS_PROXY and similar variables hold it. Without a scheme, it is `http`.
 *
 * @returns undefined for anything that is not the address of an HTTP proxy.
 */
export function toProxy(text: string): Proxy | undefined {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/\s/.test(text) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.pathname !== '/' || url.search || url.hash)
    return undefined;
  if (url.username === '' && url.password === '') return { url: url.origin };
  try {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return { url: url.origin, authorization: new Secret(`Basic ${Buffer.from(credentials).toString('base64')}`) };
  } catch {
    return undefined;
  }
}

/** Options of `createDispatcher`. */
export interface ConnectionOptions {
  readonly origin: string;
  /** The most connections to Postman at a time. */
  readonly maxConnections: number;
  /** Time to make a connection: to Postman, to a proxy, and through a proxy. */
  readonly timeoutMs: number;
  readonly proxy?: ProxySettings | undefined;
  /** Receives the error of each connection that could not be made. After any other error, a call may have been sent. */
  readonly onConnectFailure: (error: Error) => void;
}

/** Creates the pool of connections to Postman. With a proxy, each connection is a tunnel through it. */
export function createDispatcher({
  origin,
  maxConnections,
  timeoutMs,
  proxy,
  onConnectFailure,
}: ConnectionOptions): Dispatcher {
  const createPool = (url: string | URL, poolOptions: Pool.Options) =>
    new Pool(url, poolOptions).on('connectionError', (_origin, _targets, error) => onConnectFailure(error));
  const options = {
    connections: maxConnections,
    connect: { timeout: timeoutMs },
    // Each call has a timer as its exact time-out; undici's own time-outs are coarse and not needed.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (proxy === undefined) return createPool(origin, options);
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy.url,
    httpsProxy: proxy.url,
    noProxy: proxy.noProxy,
    ...(proxy.authorization && { token: proxy.authorization.reveal() }),
    proxyTls: { timeout: timeoutMs },
    requestTls: { timeout: timeoutMs },
    factory: (url, poolOptions) => createPool(url, poolOptions),
    // A call's time-out does not abort a pending CONNECT, and later calls would wait for the same tunnel.
    clientFactory: (url, poolOptions) => new Pool(url, { ...poolOptions, headersTimeout: timeoutMs }),
  });
}
