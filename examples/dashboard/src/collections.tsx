import { graphql } from './gql';
import { Status } from './status';
import { useOperation, useRows } from './use-operation';

const Collections = graphql(`
  query Collections {
    collections(first: 100) {
      totalCount
      nodes @stream {
        id
        name
        updatedAt
        requests(first: 1) {
          totalCount
        }
      }
    }
  }
`);

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** All collections with the number of their requests, which takes a call for each. The rows arrive as they are read. */
export function CollectionsPanel() {
  const operation = useOperation(Collections, {}, { waitsForRun: true, isStream: true });
  const { nodes = [], totalCount = 0 } = operation.data?.collections ?? {};
  const rows = useRows(nodes, operation);
  const readCount = rows.filter(({ requests }) => requests !== null).length;
  const expected = Math.min(100, totalCount ?? rows.length);
  return (
    <section aria-labelledby="collections">
      <h2 id="collections">Collections, one by one</h2>
      <Status operation={operation}>
        {operation.data ? `${readCount} of ${expected} collections read.` : 'One call to Postman for each collection.'}
      </Status>
      <progress aria-label="Collections read" max={expected || 1} value={readCount} />
      <table>
        <thead>
          <tr>
            <th scope="col">Collection</th>
            <th scope="col" className="number">
              Requests
            </th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, updatedAt, requests }) => (
            <tr key={id}>
              <th scope="row">{name}</th>
              <td className="number">{requests?.totalCount ?? '…'}</td>
              <td>{updatedAt && <time dateTime={updatedAt}>{dates.format(new Date(updatedAt))}</time>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
