import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('the built page')
let hub: ServedHub
let folder: string
const script = 'console.log("page")\n'.repeat(50)

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-web-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>page</title><meta property="og:image" content="/social.png" />',
  )
  await writeFile(join(folder, 'assets', 'index-AbCd1234.js'), script)
  await writeFile(join(folder, 'assets', 'index-AbCd1234.js.br'), brotliCompressSync(script))
  await writeFile(join(folder, 'assets', 'index-AbCd1234.js.gz'), gzipSync(script))
  await writeFile(join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  hub = await serveHub({ webFolder: folder })
})
test.after(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${hub.url}${path}`, { headers })
  return { response, text: await response.text() }
}

test('a file with a hash is kept for good and packed as the browser takes it', async () => {
  for (const [accept, encoding] of [
    ['br, gzip', 'br'],
    ['gzip', 'gzip'],
    ['identity', null],
    ['br;q=0, gzip', 'gzip'],
  ] as const) {
    const { response, text } = await get('/assets/index-AbCd1234.js', { 'accept-encoding': accept })
    assert.is(response.headers.get('content-encoding'), encoding)
    assert.is(text, script)
    assert.match(response.headers.get('cache-control') ?? '', 'immutable')
    assert.is(response.headers.get('content-type'), 'text/javascript; charset=utf-8')
    assert.match(response.headers.get('vary') ?? '', /accept-encoding/i)
  }
})

test('the picture of a shared link is named with the hub’s address', async () => {
  const { text } = await get('/labs')
  const named = /property="og:image" content="(.*?)"/.exec(text)?.[1] ?? ''
  assert.match(named, /^https?:\/\/[^/]+\/social\.png$/)
})

test('the page answers for its own paths, is asked for each time and has its policy', async () => {
  for (const path of ['/', '/index.html', '/labs/rc-circuit', '/benches/demo.rc-1', '/setup']) {
    const { response, text } = await get(path)
    if (path === '/benches/demo.rc-1') continue
    assert.is(response.status, 200, path)
    assert.match(text, '<title>page</title>')
    assert.is(response.headers.get('cache-control'), 'no-cache')
    assert.match(response.headers.get('content-security-policy') ?? '', "script-src 'self'")
  }
})

test('a bench’s page has a dot in its address and is a page all the same', async () => {
  const { response, text } = await get('/benches/demo.rc-1', { accept: 'text/html' })
  assert.is(response.status, 200)
  assert.match(text, '<title>page</title>')
})

test('what is not there is not found, and nothing outside the folder is', async () => {
  for (const path of ['/assets/none.js', '/nothing.txt', '/..%2f..%2fetc%2fpasswd', '/assets/%00', '/%ff.js']) {
    const { response, text } = await get(path, { accept: '*/*' })
    assert.ok(response.status === 404 || /<title>page/.test(text), `${path} ${response.status}`)
    assert.not.match(text, 'root:')
  }
  assert.is((await get('/assets/none.js')).response.status, 404)
  assert.is((await get('/api/v1/nope')).response.headers.get('content-type'), 'application/problem+json')
})

test('a file that did not change is not sent again', async () => {
  const { response } = await get('/favicon.svg')
  const etag = response.headers.get('etag') ?? ''
  assert.is((await get('/favicon.svg', { 'if-none-match': etag })).response.status, 304)
})

test.run()
