import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Browser, Request } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, openBrowser, visit } from './support/browser.ts'
import { type FakeHub, startFakeHub } from './support/fake-hub.ts'

const test = suite('first load of the page', { timeoutMs: 120_000 })

const dist = fileURLToPath(new URL('../../hub/web/dist/', import.meta.url))

/** Each page of a first visit, and what is there when it has drawn what it has. */
const firstPages = (
  run: string,
  session: string,
): Readonly<Record<string, readonly [path: string, drawn: string]>> => ({
  'sign-in': ['/sign-in', 'input[type=password]'],
  catalogue: ['/labs', 'h2'],
  'a lab with formulas': ['/labs/rc-circuit', '.katex'],
  'a finished run': [`/runs/${run}`, 'canvas'],
  benches: ['/benches', 'main li'],
  bench: ['/benches/demo.rc-1', 'td:not(:empty)'],
  'a live session': [`/sessions/${session}`, 'canvas'],
})

let hub: FakeHub
let browser: Browser
let run: string

test.before(async () => {
  hub = await startFakeHub()
  browser = await openBrowser()
  const done = hub.addRun()
  for (let i = 0; i < 53; i++) done.advance()
  run = done.run.id
})
test.after(async () => {
  await browser?.close()
  await hub?.close()
})

interface Script {
  readonly path: string
  readonly encoding: string | undefined
  /** As it came over the wire. */
  readonly bytes: number
}

/** Every script that a stranger to the page loads until it has drawn what it has and asks for no more of them. */
async function scriptsOf(path: string, drawn: string): Promise<readonly Script[]> {
  const { page, context } = await visit(browser)
  const scripts: Promise<Script>[] = []
  const script = async (request: Request): Promise<Script> => ({
    path: new URL(request.url()).pathname,
    encoding: (await request.response())?.headers()['content-encoding'],
    bytes: (await request.sizes()).responseBodySize,
  })
  let underWay = 0
  let lastMs = 0
  const counts = (by: number) => (request: Request) => {
    if (!request.url().endsWith('.js')) return
    underWay += by
    lastMs = performance.now()
  }
  page.on('request', counts(1))
  page.on('requestfailed', counts(-1))
  page.on('requestfinished', counts(-1))
  page.on('requestfinished', (request) => {
    if (request.url().endsWith('.js')) scripts.push(script(request))
  })
  await page.goto(hub.url + path)
  await page.locator(drawn).first().waitFor()
  // Of scripts alone: pages that ask how things stand are never quiet on a slow machine.
  await comes(async () => underWay === 0 && performance.now() - lastMs > 1_000, true, `${underWay} scripts on the way`)
  const loaded = await Promise.all(scripts)
  await context.close()
  return loaded
}

const most = 250_000

test('the first page that a visitor opens loads at most 250 kB of compressed JavaScript', async () => {
  for (const [name, [path, drawn]] of Object.entries(firstPages(run, hub.addSession().session.id))) {
    const scripts = await scriptsOf(path, drawn)
    assert.ok(scripts.length > 1, `${name} loaded ${scripts.length} scripts`)
    for (const { encoding, bytes, path: file } of scripts) {
      assert.is(encoding, existsSync(`${dist}${file}.br`) ? 'br' : undefined, file)
      assert.ok(bytes > 0, file)
    }
    const loaded = scripts.reduce((sum, { bytes }) => sum + bytes, 0)
    assert.ok(loaded <= most, `${name}: ${loaded} bytes in ${scripts.map((one) => one.path).join(', ')}`)
  }
})

test('what reads Markdown, sets formulas or checks schemas is in none of the files', () => {
  const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8')) as Record<string, { file: string }>
  const scripts = Object.values(manifest).flatMap(({ file }) => (file.endsWith('.js') ? [file] : []))
  assert.ok(scripts.length > 10)
  for (const file of scripts) {
    assert.not.match(readFileSync(`${dist}${file}`, 'utf8'), /KaTeX parse error|micromark|ZodError/, file)
  }
})

test('precompressed files hold the same bytes', () => {
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  const packed = names.filter((name) => names.includes(`${name}.br`))
  assert.ok(packed.length > 10)
  for (const name of packed) {
    const plain = readFileSync(`${dist}${name}`)
    assert.ok(plain.equals(gunzipSync(readFileSync(`${dist}${name}.gz`))), name)
    assert.ok(plain.equals(brotliDecompressSync(readFileSync(`${dist}${name}.br`))), name)
  }
})

test('a shared link has a title, a sentence and a picture of the size that is told', () => {
  const html = readFileSync(`${dist}index.html`, 'utf8')
  const said = (name: string) => new RegExp(`property="og:${name}" content="(.+?)"`).exec(html)?.[1] ?? ''
  assert.ok(said('title') !== '' && said('description') !== '')
  const picture = readFileSync(`${dist}${said('image')}`)
  assert.is(picture.toString('latin1', 1, 4), 'PNG')
  assert.equal([picture.readUInt32BE(16), picture.readUInt32BE(20)].map(String), [
    said('image:width'),
    said('image:height'),
  ])
  assert.ok(picture.length <= 100_000, `${picture.length} bytes`)
})

test('index.html has no inline script or style', () => {
  const html = readFileSync(`${dist}index.html`, 'utf8')
  assert.not.match(html, /<script(?![^>]*\ssrc=)[^>]*>/)
  assert.not.match(html, /<style|\sstyle=|\son\w+=/)
})

test.run()
