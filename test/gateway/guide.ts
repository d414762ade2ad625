import { readFileSync } from 'node:fs';
import type { GatewayConfigSupergraph } from '@graphql-hive/gateway-runtime';
import { parse } from 'yaml';

const guide = readFileSync(new URL('../../docs/gateways.md', import.meta.url), 'utf8');
/** The first block of a language after a text. */
const blockAfter = (text: string, language: string) =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide.slice(guide.indexOf(text)))?.[1] ?? '';

/** The configuration of Hive Gateway that docs/gateways.md shows. */
export const { gatewayConfig: hiveConfig } = (await import(
  /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(blockAfter('gateway.config.mjs', 'js'))}`
)) as { readonly gatewayConfig: GatewayConfigSupergraph };

/** The subgraphs that Cosmo composes, as docs/gateways.md names them. */
export const { subgraphs: cosmoSubgraphs } = parse(blockAfter('graph.yaml', 'yaml')) as {
  readonly subgraphs: readonly {
    readonly name: string;
    readonly routing_url: string;
    readonly schema: { readonly file: string };
  }[];
};

/** The table that docs/gateways.md says is printed at the end. */
export const shownTable = blockAfter('At the end it prints', '').trimEnd().split('\n');
