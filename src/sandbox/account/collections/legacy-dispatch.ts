import type { CollectionDocument } from '../collection-format.ts';
import { auth, folder, rawBody } from '../compose.ts';

/** Legacy dispatch: a collection from 2019. URLs are text, and one request is only a URL. */
export function createLegacyDispatch(): CollectionDocument {
  return {
    info: {
      name: 'Legacy dispatch (SOAP)',
      description: 'Van routes. To be switched off, some day.',
      version: { major: 1, minor: 4, patch: 0, identifier: 'frozen' },
    },
    auth: auth('ntlm', { username: 'dispatch', password: 'demo-ntlm-password-64', domain: 'DEPOT' }),
    item: [
      { name: 'WSDL', request: '{{legacyBaseUrl}}/dispatch.asmx?WSDL', response: [] },
      folder('Vans', [
        {
          name: 'PlanRoute',
          request: {
            method: 'POST',
            url: '{{legacyBaseUrl}}/dispatch.asmx',
            header: [
              { key: 'Content-Type', value: 'text/xml; charset=utf-8' },
              { key: 'SOAPAction', value: '"urn:kestrel:PlanRoute"' },
            ],
            body: rawBody('xml', '<Envelope><Body><PlanRoute van="V-12" depot="north"/></Body></Envelope>'),
            description: 'Plans the round of one van.',
          },
          response: [
            {
              name: 'Planned',
              originalRequest: '{{legacyBaseUrl}}/dispatch.asmx',
              status: 'OK',
              code: 200,
              _postman_previewlanguage: 'xml',
              header: [{ key: 'Content-Type', value: 'text/xml' }],
              cookie: [
                {
                  domain: 'old.kestrel-bikes.example',
                  path: '/',
                  name: 'ASP.NET_SessionId',
                  value: 'demo-session',
                  httpOnly: true,
                },
              ],
              body: '<Envelope><Body><Route stops="14"/></Body></Envelope>',
            },
          ],
        },
        {
          name: 'Ping',
          request: { method: 'GET', header: [] },
          response: [],
        },
      ]),
    ],
  };
}
