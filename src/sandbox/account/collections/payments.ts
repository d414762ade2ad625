import type { CollectionDocument } from '../collection-format.ts';
import { auth, example, folder, jsonBody, request, script, urlencodedBody } from '../compose.ts';

/** Payments: every common kind of authorization, some with literal secrets in them. */
export function createPayments(): CollectionDocument {
  return {
    info: {
      name: 'Payments',
      description: 'Authorise, capture, pay out.\n\nNever run _Payouts_ against live without a second pair of eyes.',
    },
    auth: auth('oauth2', {
      accessToken: '{{paymentsAccessToken}}',
      clientId: 'rider-backend',
      clientSecret: 'demo-payments-client-secret-71be',
      accessTokenUrl: '{{paymentsUrl}}/oauth/token',
      grant_type: 'client_credentials',
      tokenRequestParams: [{ key: 'audience', value: 'payments', enabled: true, send_as: 'request_body' }],
      addTokenTo: 'header',
    }),
    variable: [
      { key: 'currency', value: 'EUR', type: 'string' },
      { key: 'cardToken', value: 'demo-card-token-4242', type: 'secret', secret: true },
    ],
    item: [
      request('Get an access token', 'POST {{paymentsUrl}}/oauth/token', {
        auth: auth('basic', { username: '{{merchantId}}', password: '{{clientSecret}}' }),
        body: urlencodedBody([
          { key: 'grant_type', value: 'client_credentials', type: 'text' },
          {
            key: 'scope',
            value: 'payments payouts',
            type: 'text',
            description: { content: 'Separated by blanks', type: 'text/plain' },
          },
          { key: 'resource', value: 'https://payments.kestrel-bikes.example', type: 'text', disabled: true },
          { key: 'client_secret', value: 'demo-client-secret', type: 'text', disabled: true },
        ]),
        event: [script('test', "pm.environment.set('paymentsAccessToken', pm.response.json().access_token);")],
        examples: [
          example('A token', 200, 'OK', { access_token: 'demo-access-token', token_type: 'Bearer', expires_in: 900 }),
        ],
      }),
      folder('Cards', [
        request('Authorise a ride', 'POST {{paymentsUrl}}/v3/authorisations', {
          header: [{ key: 'Idempotency-Key', value: '{{$guid}}' }],
          body: jsonBody({
            merchant: '{{merchantId}}',
            card: '{{cardToken}}',
            amountMinor: 2000,
            currency: '{{currency}}',
          }),
          examples: [
            example('Authorised', 201, 'Created', { id: 'au_51', state: 'authorised' }),
            example('Declined by the issuer', 402, 'Payment Required', {
              title: 'Declined',
              reason: 'insufficient_funds',
            }),
          ],
        }),
        request('Capture', 'POST {{paymentsUrl}}/v3/authorisations/:authorisationId/capture', {
          pathVariables: [{ key: 'authorisationId', value: 'au_51' }],
          body: jsonBody({ amountMinor: 245 }),
        }),
        request('Void', 'POST {{paymentsUrl}}/v3/authorisations/:authorisationId/void?card={{cardToken}}', {
          pathVariables: [{ key: 'authorisationId', value: 'au_51' }],
          auth: null,
        }),
      ]),
      folder(
        'Payouts',
        [
          request('Pay out to the city', 'POST {{paymentsUrl}}/v3/payouts', {
            body: jsonBody({ account: 'harbour-city', amountMinor: 1_250_000, currency: '{{currency}}' }),
          }),
          request('List payouts', 'GET {{paymentsUrl}}/v3/payouts?from=2026-01-01&to=2026-01-31', {
            auth: auth('bearer', { token: 'demo-payouts-reader-token-0cc1' }),
          }),
        ],
        { auth: auth('apikey', { key: 'X-Payout-Key', value: 'demo-payout-key-d27f', in: 'header' }) },
      ),
      request('Is it up?', 'GET {{paymentsUrl}}/health', { auth: auth('noauth') }),
    ],
  };
}
