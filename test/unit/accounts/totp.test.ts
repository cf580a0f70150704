import { createSeal } from '@fernlab/hub/accounts/sealed'
import { findStep, secretText, stepAt, totpCode, totpUri } from '@fernlab/hub/accounts/totp'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('codes of authenticator apps')
const secret = Buffer.from('12345678901234567890')

test('they are those of RFC 6238, appendix B, cut to six digits', () => {
  for (const [seconds, code] of [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ] as const) {
    assert.is(totpCode(secret, stepAt(seconds * 1000)), code)
  }
})

test('a clock may be half a minute away, and no code is taken twice or after a later one', () => {
  const now = 1_700_000_000_000
  const step = stepAt(now)
  for (const away of [-1, 0, 1]) assert.is(findStep(secret, totpCode(secret, step + away), now, 0), step + away)
  for (const away of [-2, 2]) assert.is(findStep(secret, totpCode(secret, step + away), now, 0), undefined)
  assert.is(findStep(secret, totpCode(secret, step), now, step), undefined)
  assert.is(findStep(secret, totpCode(secret, step - 1), now, step), undefined)
  assert.is(findStep(secret, totpCode(secret, step + 1), now, step), step + 1)
  for (const wrong of ['', '12345', '1234567', 'abcdef', '１２３４５６']) {
    assert.is(findStep(secret, wrong, now, 0), undefined, wrong)
  }
})

test('a secret is typed in base 32, and the picture says whose it is', () => {
  assert.is(secretText(secret), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  assert.is(
    totpUri({ site: 'north lab', email: 'ada+lab@x.example', secret }),
    'otpauth://totp/north%20lab:ada%2Blab%40x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=north%20lab',
  )
})

test('what is sealed opens with the same secret for the same purpose only', () => {
  const seal = createSeal('s'.repeat(43), 'second-factor')
  const sealed = seal.close(secret)
  assert.equal(Buffer.from(seal.open(sealed)), secret)
  assert.not.equal(sealed, seal.close(secret))
  for (const other of [createSeal('t'.repeat(43), 'second-factor'), createSeal('s'.repeat(43), 'another')]) {
    assert.throws(() => other.open(sealed), /identity\.json/)
  }
})

test.run()
