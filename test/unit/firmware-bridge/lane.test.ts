import { Lane } from '@fernlab/firmware-bridge/sessions/lane'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a lane for one at a time')
const never = new AbortController().signal
const lost = (message: string) => new LabError({ code: 'connection-lost', kind: 'link', message })

test('who finds it free begins at once, others in the order of asking, urgent ones before them', async () => {
  const lane = new Lane()
  const began: string[] = []
  let end = () => {}
  const first = lane.alone(never, () => {
    began.push('first')
    return new Promise<void>((resolve) => {
      end = resolve
    })
  })
  assert.equal(began, ['first'])
  const note = (name: string) => async () => {
    began.push(name)
  }
  const rest = [
    lane.alone(never, note('second')),
    lane.alone(never, note('third')),
    lane.alone(never, note('urgent'), { urgent: true }),
  ]
  end()
  await Promise.all([first, ...rest])
  assert.equal(began, ['first', 'urgent', 'second', 'third'])
})

test('what is to be done after a failure is done before anybody else has the lane', async () => {
  const lane = new Lane()
  const said: string[] = []
  const why = lost('broke')
  const broken = lane.alone(never, () => Promise.reject(why), {
    failed: async (thrown) => {
      said.push(`failed: ${(thrown as LabError).message}`)
      await new Promise((resolve) => setImmediate(resolve))
      said.push('mended')
    },
  })
  const next = lane.alone(never, async () => {
    said.push('next')
  })
  assert.is(await rejection(broken), why)
  await next
  assert.equal(said, ['failed: broke', 'mended', 'next'])
})

test('who gives up while waiting holds nobody up', async () => {
  const lane = new Lane()
  let end = () => {}
  const first = lane.alone(never, () => new Promise<void>((resolve) => (end = resolve)))
  const stop = new AbortController()
  const gone = lane.alone(stop.signal, async () => 'never')
  const last = lane.alone(never, async () => 'last')
  stop.abort(lost('had enough'))
  assert.is((await rejection(gone)).message, 'had enough')
  end()
  await first
  assert.is(await last, 'last')
  // Who threw before it began has left too.
  assert.is(
    (
      await rejection(
        lane.alone(never, () => {
          throw lost('at once')
        }),
      )
    ).message,
    'at once',
  )
  assert.is(await lane.alone(never, async () => 'free'), 'free')
})

test.run()
