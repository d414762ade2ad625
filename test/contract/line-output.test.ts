import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLineOutput, type LineOutput } from '../../src/line-output.ts';

describe('an output whose reader does not read for a while', () => {
  const server = createServer({ pauseOnConnect: true });
  const line = (index: number) => `${index} ${'x'.repeat(1_000)}\n`;
  let output: LineOutput;
  let stream: Socket;
  let reader: Socket;
  let told: number[];
  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    stream = connect((server.address() as AddressInfo).port, '127.0.0.1');
    [reader] = await accepted;
    told = [];
    output = createLineOutput(Object.assign(stream, { fd: -1 }), (lostLines) => {
      told.push(lostLines);
      output.write('lost some\n');
    });
  });
  afterEach(async () => {
    stream.destroy();
    reader.destroy();
    server.close();
    await once(server, 'close');
  });

  it('holds a mebibyte at most, loses whole lines, and says once how many', async () => {
    let count = 0;
    const write = (lines: number) => {
      for (const end = count + lines; count < end; count++) output.write(line(count));
    };
    // Sockets hold some megabytes themselves.
    for (; stream.writableLength === 0; await output.settle(50)) write(500);
    write(5_000);
    expect(stream.writableLength).toBeGreaterThan(1_000_000);
    expect(stream.writableLength).toBeLessThanOrEqual(1_048_576);
    expect(told).toEqual([]);

    let text = '';
    reader.setEncoding('utf8').on('data', (part: string) => (text += part));
    reader.resume();
    await expect.poll(() => text.endsWith('lost some\n')).toBe(true);
    const lines = text.split('\n').slice(0, -2);
    expect(lines).toEqual(lines.map((_, index) => line(index).trimEnd()));
    expect(told).toEqual([count - lines.length]);

    output.write(line(count));
    await expect.poll(() => text.endsWith(line(count))).toBe(true);
    expect(told).toHaveLength(1);
  });

  it('drops all lines after the reader has closed, and goes on', async () => {
    reader.destroy();
    await once(reader, 'close');
    for (let index = 0; index < 10; index++) {
      output.write(line(index));
      await output.settle(10_000);
    }
    expect({ told, waiting: stream.writableLength }).toEqual({ told: [], waiting: 0 });
  });
});
