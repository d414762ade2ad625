import type * as Library from 'prom-client';

/** The library that writes metrics. It is optional: a server without `METRICS_PORT` does not load it. */
export type PromClient = Omit<typeof Library, 'default'>;

/** The package to install, as the error of a start without it names it. A test compares it with package.json. */
export const PROM_CLIENT = 'prom-client@15.1.3';

/** @throws {Error} The package is not installed. The message has the command that installs it. */
export async function loadPromClient(): Promise<PromClient> {
  try {
    return (await import('prom-client')).default;
  } catch (error) {
    throw new Error(`METRICS_PORT needs a package that is not installed: npm install ${PROM_CLIENT}`, { cause: error });
  }
}
