import * as assert from 'uvu/assert'
import { sourceFiles } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { visibleTexts } from '../support/visible-text.ts'

const test = suite('texts of the page')

/** Units of measurement, which are the same in every language; what has no letter is a symbol. */
const units = new Set(['(s)'])

const hardCoded = (path: string, text: string) =>
  visibleTexts({ path, text })
    .filter(({ text }) => /\p{L}/u.test(text) && !units.has(text))
    .map(({ text, at }) => `${at}: ${text}`)

test('what people read stands in the languages’ files, not in the code', () => {
  const pages = sourceFiles('hub/web/src').filter(({ path }) => path.endsWith('.tsx'))
  assert.ok(pages.length > 30)
  assert.equal(
    pages.flatMap(({ path, text }) => hardCoded(path, text)),
    [],
  )
})

test('a text in the code is found wherever JSX shows or speaks it', () => {
  const code = `
    export const A = ({ n, t }: Props) => (
      <p title="Help" aria-label={n > 1 ? t('many') : 'One'} className="soft" data-tone={'busy'}>
        Hello {n > 0 && 'there'} {\`\${n} points\`} {t('key')} <b>—</b> (s) {n ?? ('no' + n)}
      </p>
    )`
  assert.equal(hardCoded('a.tsx', code), [
    'a.tsx:3: Help',
    'a.tsx:3: One',
    'a.tsx:4: Hello',
    'a.tsx:4: there',
    'a.tsx:4: points',
    'a.tsx:4: no',
  ])
})

test.run()
