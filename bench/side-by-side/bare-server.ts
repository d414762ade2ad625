/**
 * A server of `node:http` that responds to every request with the same bytes and headers: the least that a response of
 * this size costs in Node. Arguments: a file with the body and one with its headers, as JSON.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [bodyFile = '', headersFile = ''] = process.argv.slice(2);
const body = readFileSync(bodyFile);
const headers = JSON.parse(readFileSync(headersFile, 'utf8')) as Record<string, string>;

const server = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(200, headers).end(body));
}).listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`));
process.once('SIGTERM', () => process.exit(0));
