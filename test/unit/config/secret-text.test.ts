import { expect, it } from 'vitest';
import { faultOfApiKey, faultOfSecret } from '../../../src/config/secret-text.ts';

// The format of Postman's keys: 24 and 34 hexadecimal digits.
const key = 'PMAK-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01';

it.each([key, 'PMAK-any', 'PMAK-0123456789-canary', '0123456789abcdef0123456789abcdef', 'YourCompanyAbc123'])(
  'finds nothing wrong with the API key %s',
  (text) => {
    expect(faultOfApiKey(text)).toBeUndefined();
  },
);

it.each([
  'vault-token',
  'a:b',
  'x={y}',
  't0ken',
  'TWFu',
  'aGVsbG8gd29ybGQ=',
  '/4AAQSkZJRg==',
  'x',
  'tokens-are-long',
  'your',
])('finds nothing wrong with the access token %s', (text) => {
  expect(faultOfSecret(text)).toBeUndefined();
});

const placeholder = 'it is a placeholder, or a reference that was not replaced by its value';

it.each([
  ['PMAK-', placeholder],
  ['PMAK-…', placeholder],
  ['PMAK-xxxxxxxx-xxxx', placeholder],
  ['PMAK-...', placeholder],
  ['PMAK-<your key>', placeholder],
  ['your-postman-api-key', placeholder],
  ['YOUR_API_KEY_HERE', placeholder],
  ['<api key>', placeholder],
  ['changeme', placeholder],
  ['********', placeholder],
  ['[redacted]', placeholder],
  ['undefined', placeholder],
  ['$POSTMAN_API_KEY', placeholder],
  ['${POSTMAN_API_KEY}', placeholder],
  ['${{ secrets.POSTMAN_API_KEY }}', placeholder],
  ['$(cat key)', placeholder],
  ['%POSTMAN_API_KEY%', placeholder],
  ['{{postman-api-key}}', placeholder],
  [`Bearer ${key}`, 'it begins with "Bearer": give what comes after it'],
  [`Authorization: Bearer ${key}`, 'it begins with "Bearer": give what comes after it'],
  [`X-Api-Key: ${key}`, 'it begins with the name of a header: give what comes after it'],
  [`POSTMAN_API_KEY=${key}`, 'it begins with the name of the variable: give what comes after it'],
  [`export POSTMAN_API_KEY=${key}`, 'it begins with the name of the variable: give what comes after it'],
  ['PMAT-0123', /^it is an access key \(PMAT-\)/],
  [Buffer.from(key).toString('base64'), 'it is base64 of an API key: decode it'],
  [Buffer.from(`${key}\n`).toString('base64'), 'it is base64 of an API key: decode it'],
  [Buffer.from(`"${key}"`).toString('base64'), 'it is base64 of an API key: decode it'],
  ['/run/secrets/postman', 'it is a path: set POSTMAN_API_KEY_FILE to it'],
  ['./key.txt', 'it is a path: set POSTMAN_API_KEY_FILE to it'],
  ['C:\\key.txt', 'it is a path: set POSTMAN_API_KEY_FILE to it'],
  [Buffer.from(Buffer.from(key).toString('base64')).toString('base64'), 'it is base64 of an API key: decode it'],
  [Buffer.from(`Bearer ${key}`).toString('base64'), 'it is base64 of an API key: decode it'],
  [Buffer.from(key).toString('hex'), 'it is the hexadecimal form of an API key: decode it'],
  [`{"POSTMAN_API_KEY":"${key}"}`, 'it is JSON: give the value in it'],
  [`["${key}"]`, 'it is JSON: give the value in it'],
  [`${key}\\n`, 'it ends with an escaped end of line'],
  [`${key}%0A`, 'it ends with an escaped end of line'],
  ['op://team/postman/key', 'it is a reference to a secret manager that was not replaced by the secret'],
  ['vault:secret/data/postman#key', 'it is a reference to a secret manager that was not replaced by the secret'],
  ['arn:aws:secretsmanager:eu-west-1:1:secret:postman', /^it is a reference to a secret manager/],
  ['projects/1/secrets/postman/versions/latest', /^it is a reference to a secret manager/],
  ['ENC[AES256_GCM,data:xyz]', /^it is a reference to a secret manager/],
  [`https://api.getpostman.com/me?apikey=${key}`, 'it is an address: give the key itself'],
  ['~/key.txt', 'it is a path: set POSTMAN_API_KEY_FILE to it'],
  [`(${key})`, 'it has a quote or another mark at one end'],
  [`apiKey=${key}`, 'it begins with a name: give what comes after it'],
  [`${key},`, 'it has a quote or another mark at one end'],
  [`"${key}`, 'it has a quote or another mark at one end'],
  [`${key},${key}`, 'it is two API keys in one'],
  [`\u201C${key}\u201D`, 'it has typographic quotes'],
  [`PMAK-\u200B0123`, 'it has characters that are not visible ASCII'],
  ['P\0M\0A\0K\0', 'it has NUL characters: it may be UTF-16'],
  [`${key}\n${key}x`, /^it is (?:more than one line|two API keys in one)$/],
])('rejects the API key %j and says why it cannot work, without repeating it', (text, reason) => {
  const fault = faultOfApiKey(text);
  expect(fault).toMatch(reason);
  expect(fault).not.toContain('0123');
});
