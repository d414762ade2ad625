import { composeServices as composeApollo } from '@apollo/composition';
import { composeServices as composeTheGuild } from '@theguild/federation-composition';
import { federateSubgraphs, ROUTER_COMPATIBILITY_VERSION_ONE } from '@wundergraph/composition';
import { type GraphQLSchema, parse } from 'graphql';

/** A subgraph as composers take it. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

/** Makes the SDL of a supergraph. @throws {Error} With everything that does not compose. */
export type Compose = (subgraphs: readonly Subgraph[]) => string;

/** The composers that make supergraphs for any gateway, by their packages. */
export const composers: Readonly<Record<string, Compose>> = {
  '@theguild/federation-composition': (subgraphs) => toSupergraph(composeTheGuild(toServices(subgraphs))),
  '@apollo/composition': (subgraphs) => toSupergraph(composeApollo(toServices(subgraphs))),
};

/**
 * Composes for Cosmo Router, whose configuration is made of this and is no supergraph that others read.
 *
 * @returns What its clients see.
 * @throws {Error} With everything that does not compose, warnings too.
 */
export function composeForCosmo(subgraphs: readonly Subgraph[]): GraphQLSchema {
  const composition = federateSubgraphs({
    subgraphs: subgraphs.map(({ name, url, sdl }) => ({ name, url, definitions: parse(sdl) })),
    version: ROUTER_COMPATIBILITY_VERSION_ONE,
  });
  const problems = [...(composition.success ? [] : composition.errors), ...composition.warnings];
  if (!composition.success || problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return composition.federatedGraphClientSchema;
}

function toServices(subgraphs: readonly Subgraph[]) {
  return subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
}

interface Composition {
  readonly supergraphSdl?: string | undefined;
  readonly errors?: readonly { readonly message: string }[] | undefined;
}

function toSupergraph({ supergraphSdl, errors = [] }: Composition): string {
  if (supergraphSdl === undefined || errors.length > 0)
    throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}
