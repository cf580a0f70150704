import { inAscii, isAscii } from 'fernlab/cli/ascii'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a terminal without UTF-8')

test('is one whose locale names another charset; where nothing is named, UTF-8 is', () => {
  assert.equal(
    [{}, { LANG: 'es_ES.UTF-8' }, { LANG: 'es_ES.utf8', LC_ALL: 'C' }, { LC_CTYPE: 'de_DE.ISO-8859-1' }].map(isAscii),
    [false, false, true, true],
  )
})

test('gets signs that stand for others, and no accents', () => {
  assert.is(inAscii('τ = 1.002 ± 0.004 s → “José”, 3 µV …  漢'), 'tau = 1.002 +/- 0.004 s -> "Jose", 3 uV ...  ?')
})

test.run()
