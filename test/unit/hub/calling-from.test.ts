import { callersAddress, callingFrom } from '@fernlab/hub/store/calling-from'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('from where a call comes')

function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

test('calls that are under way at once each have their own address, across what they wait for', async () => {
  const both = gate()
  const seen: (string | undefined)[][] = []
  const call = (address: string) =>
    callingFrom(address, async () => {
      const before = callersAddress()
      await both.passed
      seen.push([address, before, callersAddress()])
    })
  const calls = [call('192.0.2.1'), call('192.0.2.2')]
  assert.is(callersAddress(), undefined)
  both.open()
  await Promise.all(calls)
  assert.equal(seen, [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['192.0.2.2', '192.0.2.2', '192.0.2.2'],
  ])
})

test('what a call leaves behind has no address, also while another is under way', async () => {
  const [later, other] = [gate(), gate()]
  let left: Promise<string | undefined> = Promise.resolve('none yet')
  await callingFrom('192.0.2.1', async () => {
    left = later.passed.then(callersAddress)
  })
  const second = callingFrom('192.0.2.2', () => other.passed)
  later.open()
  assert.is(await left, undefined)
  other.open()
  await second
  assert.is(callersAddress(), undefined)
})

test('a call that fails fails as it would, and is over', async () => {
  const failure = new Error('no')
  const found = await callingFrom('192.0.2.1', () => Promise.reject(failure)).catch((error: unknown) => error)
  assert.is(found, failure)
  assert.is(callersAddress(), undefined)
})

test.run()
