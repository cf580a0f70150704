import { parseParameters } from 'fernlab/cli/parameters'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('parameters on the command line')

test('reads numbers, units, booleans and text', () => {
  assert.equal(parseParameters(['a=3', 'b=-1.5e-3', 'c=3.3 V', 'd=10kOhm', 'e=true', 'f=fast', 'g="3 V"', 'h=.5']), {
    a: 3,
    b: -0.0015,
    c: { value: 3.3, unit: 'V' },
    d: { value: 10, unit: 'kOhm' },
    e: true,
    f: 'fast',
    g: '3 V',
    h: 0.5,
  })
})

test('keeps an equals sign that belongs to the value', () => {
  assert.equal(parseParameters(['note=a=b']), { note: 'a=b' })
})

test('does not take what only begins like a number for one', () => {
  assert.equal(parseParameters(['a=NaN', 'b=Infinity', 'c=']), { a: 'NaN', b: 'Infinity', c: '' })
})

test('refuses what is not name=value, and a name given twice', () => {
  assert.throws(() => parseParameters(['voltage']), /"voltage" is not name=value/)
  assert.throws(() => parseParameters(['=3']), /is not name=value/)
  assert.throws(() => parseParameters(['a=1', 'a=2']), /"a" is given twice/)
})

test('keeps a name that means something to JavaScript', () => {
  assert.equal(Object.keys(parseParameters(['__proto__=1'])), ['__proto__'])
})

test.run()
