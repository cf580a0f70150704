import { LabError } from '@fernlab/shared/primitives/lab-error'
import { misspelt, mistake, statusOf } from 'fernlab/cli/problem'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the exit status of a command')
/** Nobody listens there: whatever is asked of a hub fails as unreachable, with 1. */
const env = { FERNLAB_HUB: 'http://127.0.0.1:9', FERNLAB_TOKEN: 'mine', FERNLAB_DATA: '/nonexistent' }

test('says whether the words were understood, or what they meant was refused', () => {
  assert.is(statusOf(misspelt('scope', '"fly" is not a scope')), 2)
  const of = (code: string) => statusOf(new LabError({ code, kind: 'caller', message: 'no' }))
  assert.equal([of('bad-argument'), of('interrupted-by-person'), of('forbidden')], [2, 130, 1])
  assert.is(statusOf(mistake('no-data', 'the run has no film')), 1)
  assert.is(statusOf(new Error('a bug')), 1)
})

const misspelled = [
  'no-such-verb',
  'runs --no-such-option',
  'call diode-1.psu --timeout soon',
  'call diode-1.psu --set voltage',
  'call fit slope x',
  'bench lease demo.diode-1 --seconds soon',
  'bench lease demo.diode-1 --seconds 4',
  'session start diode-iv --seconds soon',
  'daemon logs --lines x',
  'daemon logs --lines 0',
  'daemon logs --lines 10000',
  'daemon unlock',
  'node token',
  'node token ada --right fly',
  'node token ada --hours x',
  'node token ada --hours 900',
  'token create mine',
  'token create mine --scope fly',
  'token create mine --scope run --days x',
  'runs --limit none',
  'runs --limit 0',
  'audit --number 0',
  'user invite --most x',
  'user invite --most 1001',
  'user invite --days 0',
  'settings usage --addresses long',
  'settings usage --names 1e3',
  'runs --hub nonsense',
  'runs --hub ftp://lab.example.org',
  'lab new Bad_Name!',
]
for (const words of misspelled) {
  test(`is 2 for "${words}", and nobody is asked`, async () => {
    const { code, out, err } = await commandLine(words.split(' '), { env })
    assert.equal([code, out], [2, ''], err)
  })
}

test('is 1 for what was understood and could not be done', async () => {
  for (const words of ['runs', 'token create mine --scope run', 'node token ada']) {
    const { code, err } = await commandLine(words.split(' '), { env })
    assert.is(code, 1, `${words}: ${err}`)
  }
})

test.run()
