/** A lab whose only protocol takes its time: 100 ms for each of its points. */
import * as assert from 'uvu/assert'
import type { RunningFernlab } from '../running-fernlab.ts'

interface LabFile {
  readonly path: string
  readonly text: string
}

const slowLab: readonly LabFile[] = [
  {
    path: 'lab.yaml',
    text: 'title: Slow\nsummary: Takes its time.\nparts:\n  psu: { signals: { voltage: { unit: V, access: read-set } } }\n',
  },
  { path: 'README.md', text: '# Slow\n' },
  {
    path: 'protocols/steps.yaml',
    text: `
title: Steps
version: 1
restart: never
parameters:
  points: { type: integer, minimum: 2, maximum: 500, default: 10, title: Points }
  highest: { type: number, unit: V, minimum: 0, maximum: 5, default: 3, title: Highest }
steps:
  - sweep:
      variable: supply
      unit: V
      from: 0
      to: highest
      points: points
      spacing: linear
      steps:
        - set: { psu.voltage: supply }
        - wait: 100 ms
        - read: { signals: [psu.voltage] }
outputs:
  last: { title: Last, unit: V, reading: { signal: psu.voltage, which: last } }
`,
  },
]

export async function putLab(
  hub: Pick<RunningFernlab, 'http' | 'token'>,
  name: string,
  files: readonly LabFile[],
): Promise<void> {
  const answer = await fetch(`${hub.http}/api/v1/labs/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ files }),
  })
  assert.is(answer.status, 201, await answer.text())
}

/** As `slow`, with the protocol `steps`. */
export const putSlowLab = (hub: Pick<RunningFernlab, 'http' | 'token'>): Promise<void> => putLab(hub, 'slow', slowLab)
