import { readFileSync } from 'node:fs';
import type { GatewayConfigSupergraph } from '@graphql-hive/gateway-runtime';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const section = readme.slice(readme.indexOf('\n## Behind a gateway\n'));
const [, hiveSource = ''] = /```js\n([\s\S]*?)```/.exec(section) ?? [];

/** The configuration of Hive Gateway that the README shows. */
export const { gatewayConfig: hiveConfig } = (await import(
  /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(hiveSource)}`
)) as { readonly gatewayConfig: GatewayConfigSupergraph };
