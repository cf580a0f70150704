import * as assert from 'uvu/assert'
import { checkInput, type Parameter } from '../../../hub/web/src/lab/parameters.ts'
import { en } from '../../../hub/web/src/language/en.ts'
import { es } from '../../../hub/web/src/language/es.ts'
import { marked, quantityIn } from '../../../hub/web/src/words/quantity.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the decimal mark of a language')

type Texts = { readonly [key: string]: string | Texts }

/** Texts as i18next gives them: by their path, with what is named filled in. */
const textsOf = (texts: Texts) =>
  ((key: string, values: Record<string, unknown> = {}) => {
    const found = key.split('.').reduce<string | Texts>((at, name) => (at as Texts)[name] ?? '', texts)
    return String(found).replace(/\{\{(\w+)\}\}/g, (_, name) => String(values[name]))
  }) as unknown as Parameters<typeof quantityIn>[0]
const inEnglish = textsOf(en)
const inSpanish = textsOf(es as Texts)

test('numbers have that of the page, wherever they stand', () => {
  const uncertainty = { uncertainty: 0.004 }
  assert.is(quantityIn(inEnglish, 1.002, 's', uncertainty), '1.002 ± 0.004\u202fs')
  assert.is(quantityIn(inSpanish, 1.002, 's', uncertainty), '1,002 ± 0,004\u202fs')
  assert.is(quantityIn(inSpanish, -0.0047, 'Ohm'), '−4,7\u202fmΩ')
  assert.is(marked('2.5×10⁻⁷', inSpanish), '2,5×10⁻⁷')
})

test('a full stop stays one', () => {
  assert.is(marked('at 5. Then', inSpanish), 'at 5. Then')
})

test('what is typed is read with either mark, and what is wrong with it is said with that of the page', () => {
  const supply: Parameter = { name: 'voltage', type: 'number', unit: 'V', minimum: 0, maximum: 2.5 }
  for (const typed of ['1.5', '1,5']) assert.equal(checkInput(supply, typed, inSpanish), { value: 1.5 })
  assert.match((checkInput(supply, '9', inSpanish) as { error: string }).error, /2,5\u202fV/)
  assert.match((checkInput(supply, '9', inEnglish) as { error: string }).error, /2\.5\u202fV/)
})

test.run()
