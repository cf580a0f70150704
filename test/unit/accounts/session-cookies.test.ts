import { sessionCookieName, valuesOf, withOnly } from '@fernlab/hub/accounts/session-cookies'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('cookies of the session’s name')

test('all that came are seen, each once, and no crowd of them is looked at', () => {
  const header = 'a=1; s=evil;s=good ; b=s=2; s=evil; s'
  assert.equal(valuesOf(header, 's'), ['evil', 'good'])
  assert.equal([valuesOf(null, 's'), valuesOf('', 's'), valuesOf('S=1', 's')], [[], [], []])
  const crowd = Array.from({ length: 9 }, (_, n) => `s=${n}`).join('; ')
  assert.equal(valuesOf(crowd, 's'), [])
})

test('one is left, beside what has other names', () => {
  const header = 'a=1; s=evil; b=2; s=good'
  assert.is(withOnly(header, 's', 'good'), 'a=1; b=2; s=good')
  assert.is(withOnly(header, 's', undefined), 'a=1; b=2')
  assert.is(withOnly(null, 's', undefined), '')
})

test('over HTTPS no script and no other host can set it', () => {
  assert.equal(
    [sessionCookieName(true), sessionCookieName(false)],
    ['__Host-Http-fernlab.session_token', 'fernlab.session_token'],
  )
})

test.run()
