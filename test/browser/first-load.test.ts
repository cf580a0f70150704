import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('first load of the page')

const dist = fileURLToPath(new URL('../../hub/web/dist/', import.meta.url))

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly imports?: readonly string[]
}

function entryFiles(): string[] {
  const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8')) as Record<string, Chunk>
  const seen = new Set<string>()
  const walk = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    for (const next of manifest[name]?.imports ?? []) walk(next)
  }
  for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry === true) walk(name)
  return [...seen].map((name) => manifest[name]?.file ?? '')
}

test('JavaScript that every visitor loads is at most 250 kB compressed', () => {
  const files = entryFiles()
  assert.ok(files.length > 0)
  for (const form of ['gz', 'br']) {
    const sizes = files.map((file) => {
      const path = `${dist}${file}.${form}`
      return readFileSync(existsSync(path) ? path : `${dist}${file}`).length
    })
    const sum = sizes.reduce((total, size) => total + size, 0)
    assert.ok(sum <= 250_000, `${form}: ${sum} bytes`)
  }
})

test('charts, formulas, schemas and staff pages are not among it', () => {
  const code = entryFiles()
    .map((file) => readFileSync(`${dist}${file}`, 'utf8'))
    .join('\n')
  assert.not.match(code, /uplot/i)
  assert.not.match(code, /katexVersion|KaTeX parse error/)
  assert.not.match(code, /ZodError/)
})

test('precompressed files hold the same bytes', () => {
  for (const file of ['index.html', ...entryFiles()].filter((name) => existsSync(`${dist}${name}.br`))) {
    const plain = readFileSync(`${dist}${file}`)
    assert.ok(plain.equals(gunzipSync(readFileSync(`${dist}${file}.gz`))), file)
    assert.ok(plain.equals(brotliDecompressSync(readFileSync(`${dist}${file}.br`))), file)
  }
})

test('index.html has no inline script or style', () => {
  const html = readFileSync(`${dist}index.html`, 'utf8')
  assert.not.match(html, /<script(?![^>]*\ssrc=)[^>]*>/)
  assert.not.match(html, /<style|\sstyle=|\son\w+=/)
})

test.run()
