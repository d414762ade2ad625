import { type ReactNode, useEffect, useState } from 'react';
import type { Operation } from './use-operation';

/** How far an operation has come: its problems with the time of the retry, its cost, and a button. */
export function Status({ operation, children }: { operation: Operation<unknown>; children?: ReactNode }) {
  const { problems, isRunning, retryAtMs, calls, run, cancel } = operation;
  const isActive = isRunning || retryAtMs !== undefined;
  return (
    <div className="status">
      {problems.map(({ code, message, count }) => (
        <p key={message} className="problem" role="alert">
          {code && <code>{code}</code>} {message}
          {count > 1 && <small> ({count} fields)</small>}
        </p>
      ))}
      <div className="progress">
        <span role="status">
          {children}
          {calls !== undefined && ` ${calls === 1 ? '1 call' : `${calls} calls`} to Postman.`}
        </span>
        {retryAtMs !== undefined && <Countdown untilMs={retryAtMs} />}
        <button type="button" onClick={isActive ? cancel : run}>
          {labelOf(operation)}
        </button>
      </div>
    </div>
  );
}

function labelOf({ data, isRunning, isComplete, retryAtMs }: Operation<unknown>): string {
  if (isRunning) return 'Cancel';
  if (retryAtMs !== undefined) return 'Stop retrying';
  if (isComplete) return 'Load again';
  return data === undefined ? 'Load' : 'Continue';
}

function Countdown({ untilMs }: { untilMs: number }) {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return <span role="timer">Continues in {Math.max(0, Math.ceil((untilMs - nowMs) / 1_000))} s</span>;
}
