import { useEffect, useMemo, useState } from 'react';
import { Provider } from 'urql';
import { createClient, type Credentials } from './client';
import { CollectionsPanel } from './collections';
import { graphql } from './gql';
import { SearchPanel } from './search';
import { Status } from './status';
import { useOperation } from './use-operation';
import { WorkspacesPanels } from './workspaces';

const Account = graphql(`
  query Account {
    me {
      id
      fullName
      teamName
    }
  }
`);

/** Costs no calls, so the page can ask for it as often as it likes. */
const Budget = graphql(`
  query Budget {
    rateLimit {
      limit
      remaining
      queued
    }
  }
`);

const POLL_MS = 2_000;
const noCredentials: Credentials = { apiKey: '', accessToken: '' };

/** The page. Credentials are in memory only: a reload forgets them. */
export function App() {
  const [credentials, setCredentials] = useState(noCredentials);
  const client = useMemo(() => createClient(credentials), [credentials]);
  return (
    <Provider value={client}>
      <Dashboard key={JSON.stringify(credentials)} onCredentials={setCredentials} />
    </Provider>
  );
}

function Dashboard({ onCredentials }: { onCredentials: (credentials: Credentials) => void }) {
  const account = useOperation(Account, {});
  const isRefused = account.problems.some(({ code }) => code === 'UNAUTHENTICATED');
  const { fullName, teamName } = account.data?.me ?? {};
  return (
    <>
      <header>
        <h1>Postman dashboard</h1>
        {fullName && <span>{teamName ? `${fullName}, ${teamName}` : fullName}</span>}
        {!isRefused && <BudgetMeter />}
        {account.problems.length > 0 && <Status operation={account} />}
      </header>
      <main>
        {isRefused ? (
          <CredentialsForm onSubmit={onCredentials} />
        ) : (
          <>
            <WorkspacesPanels />
            <SearchPanel />
            <CollectionsPanel />
          </>
        )}
      </main>
    </>
  );
}

function BudgetMeter() {
  const { data, run, isRunning } = useOperation(Budget, {});
  useEffect(() => {
    if (isRunning) return undefined;
    const timer = setTimeout(run, POLL_MS);
    return () => clearTimeout(timer);
  }, [isRunning, run]);
  if (!data?.rateLimit) return null;
  const { limit, remaining, queued } = data.rateLimit;
  return (
    <label className="budget">
      <meter min={0} max={limit} low={limit / 6} value={remaining} /> {remaining} of {limit} calls left
      {queued > 0 && `, ${queued} waiting`}
    </label>
  );
}

function CredentialsForm({ onSubmit }: { onSubmit: (credentials: Credentials) => void }) {
  const [credentials, setCredentials] = useState(noCredentials);
  const fieldOf = (name: keyof Credentials) => (
    <input
      type="password"
      autoComplete="off"
      value={credentials[name]}
      onChange={(event) => setCredentials({ ...credentials, [name]: event.target.value })}
    />
  );
  return (
    <section aria-labelledby="credentials">
      <h2 id="credentials">Sign in</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit(credentials);
        }}
      >
        <label>Postman API key {fieldOf('apiKey')}</label>
        <label>Access token of the server, if it has one {fieldOf('accessToken')}</label>
        <button type="submit">Sign in</button>
      </form>
    </section>
  );
}
