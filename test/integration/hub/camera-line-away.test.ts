/** The line of a camera while its node is away. */
import { createCameraLines } from '@fernlab/hub/cameras/camera-lines'
import type { RunChange } from '@fernlab/hub/runs/runs'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the line of a camera whose node is away')

const away = new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message: 'n is away' })
const over = new LabError({ code: 'session-not-active', kind: 'caller', message: 'it is over' })

test('whoever looks sees it again once the node is back, and is told when the session is over', async () => {
  let refusal: LabError | undefined
  let asked = 0
  const listeners = new Set<(change: RunChange) => void>()
  const clock = new ManualClock(0)
  const lines = createCameraLines({
    sessions: {
      seat: () => {
        if (refusal !== undefined) throw refusal
        return { node: 'n', attempt: 1 }
      },
      onChange: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    calls: {
      call: async () => {
        asked++
        throw away
      },
    },
    publicUrl: () => 'http://hub.example',
    clock,
    log: recordingLog(),
  })
  const told: string[] = []
  lines.look('s', 'view', { picture: () => {}, ended: ({ code }) => told.push(code) })
  // A booking that needs the bench is told of like that, whether its node is there or not.
  const change = () => {
    for (const listener of listeners) listener({ runId: 's', kind: 'state' })
  }
  refusal = away
  change()
  assert.equal(told, [])
  refusal = undefined
  await clock.advance(1000)
  assert.is(asked, 2)
  refusal = over
  change()
  assert.equal(told, ['session-not-active'])
  lines.stop()
})

test.run()
