import {
  parseBoolean,
  parseNumber,
  parseQueuedError,
  parseText,
  splitList,
} from '@fernlab/firmware-bridge/scpi/replies'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('SCPI replies')
const source = { instrument: 'dmm-1', command: 'READ?' }

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof LabError) return error.code
    throw error
  }
  return 'nothing'
}

test('reads numbers in every form that IEEE 488.2 allows', () => {
  for (const [text, value] of [
    ['5', 5],
    ['+5.', 5],
    ['-.25', -0.25],
    [' 1.5E+03 ', 1500],
    ['2e-3', 0.002],
  ] as const) {
    assert.is(parseNumber(text, source), value)
  }
})

test('refuses everything else, naming instrument, command and reply', () => {
  for (const text of ['', 'abc', '1,2', '0x10', '1.2.3', 'NaN', 'Infinity', '1 2', '--1']) {
    assert.is(
      codeOf(() => parseNumber(text, source)),
      'reply-garbled',
      text,
    )
  }
  try {
    parseNumber('\u0007~?', source)
    assert.unreachable()
  } catch (error) {
    assert.ok(error instanceof LabError)
    assert.match(error.message, /dmm-1/)
    assert.match(error.message, /READ\?/)
    assert.is(error.kind, 'instrument')
  }
})

test('never takes noise for a number by throwing anything but its own error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const code = codeOf(() => parseNumber(text, source))
      assert.ok(['nothing', 'reply-garbled', 'reading-overload'].includes(code))
    }),
  )
})

test('tells an overload from a number', () => {
  for (const text of ['+9.90000000E+37', '-9.9E37', '9.91E+37']) {
    assert.is(
      codeOf(() => parseNumber(text, source)),
      'reading-overload',
    )
  }
  assert.is(parseNumber('9.8E37', source), 9.8e37)
})

test('reads booleans, quoted text and lists', () => {
  assert.is(parseBoolean(' on', source), true)
  assert.is(parseBoolean('0', source), false)
  assert.is(
    codeOf(() => parseBoolean('maybe', source)),
    'reply-garbled',
  )
  assert.is(parseText('"say ""hi"""'), 'say "hi"')
  assert.is(parseText("'x'"), 'x')
  assert.is(parseText('SIN'), 'SIN')
  assert.equal(splitList('CH1, 5.000 ,"a,b"'), ['CH1', '5.000', '"a,b"'])
})

test('reads the error queue', () => {
  assert.equal(parseQueuedError('-222,"Data out of range; 40"', source), { code: -222, text: 'Data out of range; 40' })
  assert.is(parseQueuedError('+0,"No error"', source).code, 0)
  assert.is(
    codeOf(() => parseQueuedError('5.03', source)),
    'reply-garbled',
  )
})

test.run()
