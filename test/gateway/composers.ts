import { composeServices as composeApollo } from '@apollo/composition';
import { composeServices as composeTheGuild } from '@theguild/federation-composition';
import { parse } from 'graphql';

/** A subgraph as composers take it. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

/** Makes the SDL of a supergraph. @throws {Error} With everything that does not compose. */
export type Compose = (subgraphs: readonly Subgraph[]) => string;

/** Both composers there are, by their packages. */
export const composers: Readonly<Record<string, Compose>> = {
  '@theguild/federation-composition': (subgraphs) => toSupergraph(composeTheGuild(toServices(subgraphs))),
  '@apollo/composition': (subgraphs) => toSupergraph(composeApollo(toServices(subgraphs))),
};

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
