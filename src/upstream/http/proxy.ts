import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { Secret } from './secret.ts';

/** An HTTP proxy. */
export interface Proxy {
  /** Its address, without user name and password: it may be shown. */
  readonly url: string;
  /** The header that its user name and password make. */
  readonly authorization?: Secret;
}

/** Through what calls leave. */
export interface ProxySettings extends Proxy {
  /** Hosts that are called without it, as NO_PROXY lists them. */
  readonly noProxy: string;
}

/**
 * Reads the address of a proxy as the variables of companies' networks write it. Without a scheme it is http.
 *
 * @returns undefined for anything else.
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

/** What connections to upstream are made with. */
export interface ConnectionOptions {
  readonly origin: string;
  /** Connections to upstream. */
  readonly maxConnections: number;
  /** For a connection to be made: to upstream, and to and through a proxy. */
  readonly timeoutMs: number;
  readonly proxy?: ProxySettings | undefined;
  /** Is told what a connection fails with that is not made: whatever a call fails with otherwise has perhaps reached upstream. */
  readonly onConnectFailure: (error: Error) => void;
}

/** Makes the connections to upstream: a pool of one origin, with a tunnel for each connection where there is a proxy for it. */
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
    // The exact time-out is the signal of each call; undici's own are coarse and would only add to it.
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
    // No signal ends a CONNECT that gets no answer, and calls that come later wait for the same tunnel.
    clientFactory: (url, poolOptions) => new Pool(url, { ...poolOptions, headersTimeout: timeoutMs }),
  });
}
