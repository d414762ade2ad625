import type { Logger } from 'pino';
import { redact } from '../../upstream/http/redact.ts';

const MAX_CAUSES = 3;
const MAX_FRAMES = 20;

/** Makes a log that writes the errors of `err` without any data. pino's own serializer writes whole messages. */
export function createErrorLog(logger: Logger): Logger {
  return logger.child({}, { serializers: { err: (cause: unknown) => toLogged(cause, MAX_CAUSES) } });
}

/**
 * Formats an error for the log without any data: messages quote values, which may be an API key or part of a response.
 * A message begins with what is wrong, so it is cut off at the first quotation, list or colon.
 */
function toLogged(cause: unknown, causesLeft: number): object {
  if (!(cause instanceof Error)) return { type: typeof cause };
  const { name, message, stack = '' } = cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? redact(cause.code) : undefined;
  // The stack begins with the message, and a line of the message may look like a frame.
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length).split('\n') : [];
  return {
    type: redact(name),
    message: redact(message.split(/["'`:{[\n]/, 1)[0] ?? ''),
    ...(code !== undefined && { code }),
    stack: frames
      .filter((line) => line.startsWith('    at '))
      .slice(0, MAX_FRAMES)
      .map((line) => redact(line))
      .join('\n'),
    ...(cause.cause !== undefined && causesLeft > 0 && { cause: toLogged(cause.cause, causesLeft - 1) }),
  };
}
