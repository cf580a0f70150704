import { createTunnelTokens } from '@fernlab/hub/lab-servers/tunnel-tokens'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite("tokens of nodes' ends of tunnels")
const rig = () => {
  const clock = new ManualClock()
  const tokens = createTunnelTokens<string>({ clock })
  const make = () => {
    let made: { token: string; giveUp(reason: LabError): void } | undefined
    const arrived = new Promise<string>((resolve, reject) => {
      made = tokens.make(resolve, reject)
    })
    return { token: made?.token ?? '', giveUp: (reason: LabError) => made?.giveUp(reason), arrived }
  }
  return { clock, tokens: { make, take: tokens.take } }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: LabError) => error.code,
  )

test('a token leads to its own tunnel, once', async () => {
  const { tokens } = rig()
  const [first, second] = [tokens.make(), tokens.make()]
  tokens.take(`Bearer ${second.token}`)?.('two')
  tokens.take(`Bearer ${first.token}`)?.('one')
  assert.equal([await first.arrived, await second.arrived], ['one', 'two'])
  assert.is(tokens.take(`Bearer ${first.token}`), undefined)
})

test('what is no token, or the secret of another, leads nowhere, and leaves the right one good', async () => {
  const { tokens } = rig()
  const [one, other] = [tokens.make(), tokens.make()]
  const [id = '', secret = ''] = one.token.split('.')
  const otherSecret = other.token.split('.')[1]
  const wrong = [
    undefined,
    '',
    one.token,
    `Basic ${one.token}`,
    `Bearer ${id}`,
    `Bearer ${id}.`,
    `Bearer .${secret}`,
    `Bearer ${secret}.${secret}`,
    `Bearer ${id}.${otherSecret}`,
    `Bearer ${id}.${secret.slice(1)}`,
  ]
  for (const authorization of wrong) assert.is(tokens.take(authorization), undefined, authorization)
  tokens.take(`Bearer ${one.token}`)?.('in')
  assert.is(await one.arrived, 'in')
  other.giveUp(new LabError({ code: 'given-up', kind: 'caller', message: 'no' }))
  assert.is(await codeOf(other.arrived), 'given-up')
  assert.is(tokens.take(`Bearer ${other.token}`), undefined)
})

test('after 10 s it is good for nothing', async () => {
  const { clock, tokens } = rig()
  const [early, late] = [tokens.make(), tokens.make()]
  const rejected = codeOf(late.arrived)
  await clock.advance(9999)
  tokens.take(`Bearer ${early.token}`)?.('in')
  await clock.advance(1)
  assert.is(await rejected, 'node-silent')
  assert.is(tokens.take(`Bearer ${late.token}`), undefined)
  assert.is(await early.arrived, 'in')
})

test.run()
