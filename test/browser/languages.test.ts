import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { en as early } from '../../hub/web/src/language/en.ts'
import { es } from '../../hub/web/src/language/es.ts'
import { preferredLanguage } from '../../hub/web/src/language/language.ts'
import { suite } from '../support/suite.ts'

const test = suite('languages of the page')

type Tree = { readonly [key: string]: string | Tree }

/** The early texts, and those of every file that comes later. */
const folder = new URL('../../hub/web/src/language/', import.meta.url)
const late = readdirSync(folder).filter((name) => /^en-.+\.ts$/.test(name))
const parts: Tree[] = await Promise.all(
  late.map(async (name) => Object.assign({}, ...Object.values<Tree>(await import(new URL(name, folder).href)))),
)
const en: Tree = Object.assign({}, early, ...parts)

function texts(tree: Tree, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    const here = path === '' ? key : `${path}.${key}`
    if (typeof value === 'string') found.set(here, value)
    else for (const [inner, text] of texts(value, here)) found.set(inner, text)
  }
  return found
}

const slots = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort()

test('English and Spanish have the same texts', () => {
  assert.equal([...texts(es).keys()].sort(), [...texts(en).keys()].sort())
})

test('a text names the same values in both languages', () => {
  const spanish = texts(es)
  for (const [key, text] of texts(en)) assert.equal(slots(spanish.get(key) ?? ''), slots(text), key)
})

test('no text is empty, and no key has a colon or a dot, which would name another place', () => {
  for (const language of [en, es]) {
    for (const [key, text] of texts(language)) {
      assert.ok(text.trim() !== '', key)
      assert.not.match(key, /:/)
    }
  }
})

test('every text is used somewhere', () => {
  const folder = fileURLToPath(new URL('../../hub/web/src/', import.meta.url))
  const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('language'))
    .map((path) => readFileSync(folder + path, 'utf8'))
    .join('\n')
  const unused = [...texts(en).keys()].filter((key) => {
    const base = key.replace(/_(one|other)$/, '')
    const chosen = `\`${base.slice(0, base.lastIndexOf('.'))}.$`
    return !code.includes(`'${base}'`) && !code.includes(chosen)
  })
  assert.equal(unused, [])
})

test('the chosen language wins, then the browser’s first that is spoken, then English', () => {
  assert.is(preferredLanguage('es', ['en-GB']), 'es')
  assert.is(preferredLanguage(null, ['fr-FR', 'es-MX', 'en']), 'es')
  assert.is(preferredLanguage(null, ['fr-FR']), 'en')
  assert.is(preferredLanguage('xx', ['es']), 'es')
})

test.run()
