/**
 * Part of the HTTP module, which exports connections, probes, and readers and writers of headers. This file exports
 * `listen`. The module knows no GraphQL operation: it may not import plugins, `operation/`, `result/`, `incremental/`,
 * the graph or the dry run.
 */
import type { Server } from 'node:http';
import type { Config } from '../../config/config.ts';

/** Advice for each error of Node that prevents listening, by its code. */
const ADVICE: Readonly<Record<string, (listen: Config['listen']) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `port ${port} of ${host} is in use, perhaps by another postman-graphql: ` +
    'set PORT to another one, or to 0 for any free port',
  EACCES: ({ port }) => `this user may not listen on port ${port}: set PORT to a port above 1023`,
  EADDRNOTAVAIL: ({ host }) =>
    `${host} is not an address of this machine: set HOST to one that is, or to 0.0.0.0 for all`,
  ENOTFOUND: ({ host }) => `HOST ${host} cannot be resolved`,
  EAI_AGAIN: ({ host }) => `HOST ${host} cannot be resolved at the moment`,
};

/**
 * Starts listening.
 *
 * @param backlog - Connections that may wait to be accepted.
 * @throws {Error} Its message names the variable to change.
 */
export function listen(server: Server, { host, port }: Config['listen'], backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const advice = ADVICE[error.code ?? '']?.({ host, port });
      reject(advice === undefined ? error : new Error(`${advice} (${error.code})`, { cause: error }));
    };
    server.once('error', fail);
    server.listen({ port, host, backlog }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
