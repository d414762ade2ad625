import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { variables } from './config/variables.ts';
import { nearestName } from './config/nearest-name.ts';

/** The parsed command line: a text to print, or variables that override the environment. */
export type CommandLine = { readonly text: string } | { readonly environment: Readonly<Record<string, string>> };

const options = {
  port: { type: 'string' },
  'sandbox-dir': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Options that override an environment variable. */
const variableOf = { port: 'PORT', 'sandbox-dir': 'SANDBOX_DIR' } as const;

/** One option as `parseArgs` returns it. */
interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

const USAGE = `Usage: postman-graphql [options]

A GraphQL server in front of the Postman API. Without an API key it serves an embedded example account.

Options:
  --port <number>       port to listen on (PORT)
  --sandbox-dir <path>  folder of exported collections and environments to serve (SANDBOX_DIR)
  -h, --help            print this help
  -v, --version         print the version

Everything else is set by environment variables, or in a .env file in the working directory:
`;

/**
 * Reads the arguments of the program.
 *
 * @throws {Error} Its message says what is wrong. It repeats no value, which may be a secret.
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems = tokens.flatMap((token) => {
    if (token.kind === 'positional') return ['only options are allowed'];
    return token.kind === 'option' ? toProblems(token) : [];
  });
  if (problems.length > 0) throw new Error(`${problems.join('; ')} (see --help)`);
  if (values.help) return { text: `${USAGE}\n${variables.map(describeVariable).join('\n')}\n` };
  if (values.version) return { text: `${readVersion()}\n` };
  const environment: Record<string, string> = {};
  for (const [option, variable] of Object.entries(variableOf)) {
    const value = values[option];
    if (typeof value === 'string') environment[variable] = value;
  }
  return { environment };
}

function toProblems({ name, rawName, value, inlineValue }: OptionToken): string[] {
  if (!Object.hasOwn(options, name)) {
    const nearest = nearestName(name, Object.keys(options));
    return [`unknown option ${rawName}${nearest === undefined ? '' : `; did you mean --${nearest}?`}`];
  }
  const needsValue = options[name as keyof typeof options].type === 'string';
  // Without "=", parseArgs takes the next argument as the value, even if it is another option.
  const isMissing = value === undefined || value === '' || (!inlineValue && value.startsWith('-'));
  if (needsValue && isMissing) return [`${rawName} needs a value`];
  return !needsValue && value !== undefined ? [`${rawName} takes no value`] : [];
}

function describeVariable({ name, default: text, description }: (typeof variables)[number]): string {
  return `  ${name}${text === '' ? '' : `=${text}`}\n      ${description}`;
}

function readVersion(): string {
  // The package's own name resolves from both src and dist.
  const { version } = createRequire(import.meta.url)('postman-graphql/package.json') as { version: string };
  return version;
}
