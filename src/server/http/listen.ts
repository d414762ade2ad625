import type { Server } from 'node:http';
import type { Config } from '../../config/config.ts';

/** What can be done where no socket can be had at an address, by Node's code. */
const ADVICE: Readonly<Record<string, (listen: Config['listen']) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `port ${port} of ${host} is in use, perhaps by another postman-graphql: set PORT to another one, or to 0 for any that is free`,
  EACCES: ({ port }) => `this user may not listen on port ${port}: set PORT to one above 1023`,
  EADDRNOTAVAIL: ({ host }) => `${host} is no address of this machine: set HOST to one, or to 0.0.0.0 for all`,
  ENOTFOUND: ({ host }) => `HOST ${host} cannot be resolved`,
  EAI_AGAIN: ({ host }) => `HOST ${host} cannot be resolved at present`,
};

/**
 * Listens.
 *
 * @param backlog - Connections that may wait to be let in.
 * @throws {Error} whose message names the variable that helps.
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
