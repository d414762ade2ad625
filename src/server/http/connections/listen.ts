/**
 * Part of the HTTP module, which exports connections, probes, and readers and writers of headers. This file exports
 * `listen`. The module knows no GraphQL operation: it may not import plugins, `operation/`, `result/`, `incremental/`,
 * the graph or the dry run.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../../../config/config.ts';

/** Where a server listens. `variables`: the names of the variables that say so; default: `HOST` and `PORT`. */
type ListenAddress = Config['listen'] & { readonly variables?: { readonly host: string; readonly port: string } };

const MAIN_VARIABLES = { host: 'HOST', port: 'PORT' };

/** Advice for each error of Node that prevents listening, by its code. */
const ADVICE: Readonly<Record<string, (address: Required<ListenAddress>) => string>> = {
  EADDRINUSE: ({ host, port, variables }) =>
    `port ${port} of ${host} is in use, perhaps by another postman-graphql: ` +
    `set ${variables.port} to another one, or to 0 for any free port`,
  EACCES: ({ port, variables }) =>
    `this user may not listen on port ${port}: set ${variables.port} to a port above 1023`,
  EADDRNOTAVAIL: ({ host, variables }) =>
    `${host} is not an address of this machine: set ${variables.host} to one that is, or to 0.0.0.0 for all`,
  ENOTFOUND: ({ host, variables }) => `${variables.host} ${host} cannot be resolved`,
  EAI_AGAIN: ({ host, variables }) => `${variables.host} ${host} cannot be resolved at the moment`,
};

/**
 * Starts listening.
 *
 * @param backlog - Connections that may wait to be accepted.
 * @returns The origin of the server, for example `http://127.0.0.1:4000`.
 * @throws {Error} Its message names the variable to change.
 */
export function listen(
  server: Server,
  { host, port, variables = MAIN_VARIABLES }: ListenAddress,
  backlog: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const advice = ADVICE[error.code ?? '']?.({ host, port, variables });
      reject(advice === undefined ? error : new Error(`${advice} (${error.code})`, { cause: error }));
    };
    server.once('error', fail);
    server.listen({ port, host, backlog }, () => {
      server.off('error', fail);
      const { port: actualPort } = server.address() as AddressInfo;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`);
    });
  });
}
