import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFacade } from '../support/facade.ts';
import { dashboard, isSkipped, launchChromium, serveByVite, skippedNote } from './vite-page.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = readFileSync(`${root}docs/first-page.md`, 'utf8');
const run = promisify(execFile);
const documented = 'http://127.0.0.1:4000/graphql';

/** The blocks of code in the section with this number, each with its language. */
function blocksOf(step: number): { language: string; text: string }[] {
  const section = guide.split(/^## \d\. /m)[step] ?? '';
  return [...section.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

const textOf = (step: number, language: string) =>
  blocksOf(step).find((block) => block.language === language)?.text ?? '';

describe('docs/first-page.md', () => {
  it('shows the response to its first query', async () => {
    const facade = await startFacade();
    onTestFinished(() => facade.close());
    const [, body = ''] = /-d '(.*)'/.exec(textOf(2, 'sh')) ?? [];
    const response = await fetch(facade.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const shown = JSON.parse(textOf(2, 'json')) as { extensions: { upstream: object } };
    const { extensions, ...rest } = (await response.json()) as typeof shown;
    // These depend on the server and the time.
    const { budget, sandbox } = shown.extensions.upstream as { budget: object; sandbox: boolean };
    expect({ ...rest, extensions: { upstream: { ...extensions.upstream, budget, sandbox } } }).toEqual(shown);
  });

  it.skipIf(isSkipped)(`leads to a page that shows what it says${skippedNote}`, async () => {
    const facade = await startFacade();
    const folder = mkdtempSync(join(tmpdir(), 'first-page-'));
    const page = join(folder, 'my-page');
    const browser = await launchChromium();
    onTestFinished(async () => {
      await browser.close();
      await facade.close();
      rmSync(folder, { recursive: true });
    });
    symlinkSync(root, join(folder, 'postman-graphql'), 'dir');
    const commands = textOf(3, 'sh');
    expect(commands).toMatch(/^npm install$/m);
    await run('sh', ['-e', '-c', commands.replace(/^npm install$/m, '')], { cwd: folder });
    // In place of the installation, which takes a minute.
    symlinkSync(join(dashboard, 'node_modules'), join(page, 'node_modules'), 'dir');
    writeFileSync(join(page, 'codegen.ts'), textOf(4, 'ts').replace(documented, facade.url));
    writeFileSync(join(page, 'src/main.tsx'), textOf(4, 'tsx'));
    await run('npm', ['run', 'codegen'], { cwd: page });
    await run('npm', ['run', 'build'], { cwd: page });

    const served = await serveByVite(page, 'preview', new URL(facade.url).origin);
    onTestFinished(() => void served.process.kill());
    facade.postman.calls.length = 0;
    const tab = await browser.newPage();
    await tab.goto(served.url);
    const lines = async () => (await tab.locator('main').innerText()).split('\n').filter((line) => line !== '');
    const shown = blocksOf(5)[1]?.text.trim().split('\n') ?? [];
    await expect.poll(lines).toEqual(shown);
    expect(facade.postman.calls).toEqual(['GET /collections?limit=99&offset=0', 'GET /users']);
  });
});
