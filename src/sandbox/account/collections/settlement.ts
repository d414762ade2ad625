import type { CollectionDocument } from '../collection-format.ts';
import { auth, folder, formdataBody, rawBody, request, script } from '../compose.ts';

const creditTransfer = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>KESTREL-2026-02-27</MsgId>
      <NbOfTxs>1</NbOfTxs>
      <CtrlSum>12500.00</CtrlSum>
    </GrpHdr>
  </CstmrCdtTrfInitn>
</Document>
`;

/** Settlement files: file bodies, forms with files, and XML. */
export function createSettlement(): CollectionDocument {
  return {
    info: { name: 'Settlement files', description: 'Nightly exchange with the bank.' },
    auth: auth('basic', { username: 'settlement', password: 'demo-settlement-password-19' }),
    item: [
      request('Send a transfer order', 'POST {{paymentsUrl}}/settlement/orders', {
        header: [{ key: 'Content-Type', value: 'application/xml' }],
        body: rawBody('xml', creditTransfer),
      }),
      request('Upload the statement', 'PUT {{paymentsUrl}}/settlement/statements/:day', {
        pathVariables: [{ key: 'day', value: '2026-02-27' }],
        body: { mode: 'file', file: { src: '/settlement/2026-02-27.mt940', content: ':20:KESTREL260227' } },
      }),
      request('Upload a pair', 'POST {{paymentsUrl}}/settlement/pairs', {
        body: formdataBody([
          { key: 'order', type: 'file', src: '/settlement/order.xml', contentType: 'application/xml' },
          { key: 'proofs', type: 'file', src: ['/settlement/a.pdf', '/settlement/b.pdf'] },
        ]),
      }),
      folder(
        'Reports',
        [
          request('Day report', 'GET {{paymentsUrl}}/settlement/reports/:day?format=csv', {
            pathVariables: [{ key: 'day', value: '2026-02-27' }],
            variable: [{ key: 'format', value: 'csv', type: 'string', description: 'csv or mt940' }],
            examples: [
              {
                name: 'A quiet day',
                status: 'OK',
                code: 200,
                _postman_previewlanguage: 'text',
                header: [{ key: 'Content-Type', value: 'text/csv' }],
                cookie: [],
                responseTime: 312,
                body: 'day,rides,amountMinor\n2026-02-27,1,245\n',
              },
            ],
          }),
          request('Note for the auditor', 'POST {{paymentsUrl}}/settlement/notes', {
            body: { ...rawBody('text', 'Two bikes were charged twice; corrected on the 28th.'), disabled: true },
          }),
        ],
        { event: [script('prerequest', "pm.variables.set('day', pm.variables.get('day') || '2026-02-27');")] },
      ),
    ],
  };
}
