import type { CollectionDocument } from '../collection-format.ts';
import { auth, example, graphqlBody, jsonBody, request } from '../compose.ts';

/** Pricing: requests with GraphQL bodies. */
export function createPricing(): CollectionDocument {
  return {
    info: { name: 'Pricing (GraphQL)', description: 'Quotes and passes. One endpoint; the operation is in the body.' },
    auth: auth('bearer', { token: '{{riderToken}}' }),
    item: [
      request('Quote a ride', 'POST {{baseUrl}}/pricing/graphql', {
        body: graphqlBody(
          `
query Quote($from: ID!, $to: ID!, $electric: Boolean) {
  quote(from: $from, to: $to, electric: $electric) {
    amountMinor
    currency
    parts { label amountMinor }
  }
}`,
          { from: 'harbour-north', to: 'market-square', electric: true },
        ),
        examples: [
          example('A quote', 200, 'OK', {
            data: { quote: { amountMinor: 245, currency: 'EUR', parts: [{ label: 'Unlock', amountMinor: 100 }] } },
          }),
        ],
      }),
      request('Passes on sale', 'POST {{baseUrl}}/pricing/graphql', {
        body: {
          mode: 'graphql',
          graphql: { query: '{ passes { id name days amountMinor } }', operationName: 'Passes', variables: '' },
        },
      }),
      request('Reprice a city', 'POST {{baseUrl}}/pricing/internal/reprice', {
        description: 'Plain JSON: the job has no GraphQL form.',
        auth: auth('apikey', { key: 'pricing_key', value: '{{pricingKey}}', in: 'query' }),
        body: jsonBody({ city: '{{city}}', validFrom: '2026-04-01' }),
      }),
    ],
  };
}
