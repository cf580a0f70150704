import { parseArgs } from 'node:util'
import { newTypedCode, readTypedCode } from '@fernlab/hub/accounts/typed-code'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the code with which a node is enrolled')

test('is four groups of five that are told apart, and a command line takes each', () => {
  const codes = Array.from({ length: 500 }, () => newTypedCode())
  for (const code of codes) {
    assert.match(code, /^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/)
    const { values } = parseArgs({ args: ['--enroll', code], options: { enroll: { type: 'string' } } })
    assert.is(values.enroll, code)
  }
  assert.is(new Set(codes).size, codes.length)
})

test('is read as it was heard: in any case, with or without dashes, with letters for the digits they look like', () => {
  const meant = readTypedCode('7K3QM-X2V9R-0HJ4T-1BN8C')
  for (const typed of [
    '7k3qm-x2v9r-0hj4t-1bn8c',
    '7K3QMX2V9R0HJ4T1BN8C',
    '7k3qm x2v9r ohj4t lbn8c',
    '7K3QM-X2V9R-OHJ4T-IBN8C',
  ]) {
    assert.is(readTypedCode(typed), meant, typed)
  }
  assert.is.not(readTypedCode('7K3QM-X2V9R-0HJ4T-2BN8C'), meant)
})

test.run()
