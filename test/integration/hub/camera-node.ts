/** A node of this process with a bench that a camera on the network watches, and the lab for it. */
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { noisyPicture, startNetworkCamera } from '../../support/network-camera.ts'
import { type TestHub, until } from './hub-with-node.ts'

export const CAMERA_RATE_HZ = 15

const files = [
  {
    path: 'lab.yaml',
    text: `
title: Oven
summary: Is watched.
parts:
  box: { signals: { value: { unit: "1", access: read-set } } }
  view: { signals: {}, actions: [take_picture], camera: true }
session:
  seconds: 600
  film: [view]
  record: [{ signals: [box.value], rate: 20, stream: readings }]
panel:
  widgets:
    - { kind: camera, part: view }
`,
  },
  { path: 'README.md', text: '# Oven\n' },
  {
    path: 'protocols/look.yaml',
    text: `
title: Look twice
version: 1
restart: never
parameters: {}
steps:
  - record:
      signals: [box.value]
      rate: 20
      stream: primary
      steps:
        - call: { action: view.take_picture }
        - wait: 0.5
        - call: { action: view.take_picture }
outputs: {}
`,
  },
]

export interface CameraNode {
  readonly network: Awaited<ReturnType<typeof startNetworkCamera>>
  /** Stops what the camera shows, or lets it go on. */
  freeze(frozen: boolean): void
  close(): Promise<void>
}

/** Pushes the lab `oven` and starts the node `kitchen`, which reaches the hub's page at `web`; resolves when its bench is free. */
export async function startCameraNode(lab: TestHub, web: string): Promise<CameraNode> {
  const pushed = await lab.call('/api/v1/labs/oven', { method: 'PUT', json: { files } })
  assert.ok(pushed.ok, await pushed.text())
  const network = await startNetworkCamera()
  const pictures = Array.from({ length: 8 }, (_, number) => noisyPicture(number))
  let at = 0
  let isFrozen = false
  const showing = setInterval(() => {
    const picture = pictures[at++ % pictures.length]
    if (picture !== undefined && !isFrozen) network.show(picture)
  }, 1000 / CAMERA_RATE_HZ)
  const edge = await startEdge({
    config: {
      text: `
node: kitchen
hub: { url: in-process, web: "${web}" }
instruments:
  box: { driver: simulated, config: { model: constant } }
  eye: { driver: camera, config: { source: { kind: network, url: "${network.url}" }, rateHz: ${CAMERA_RATE_HZ} } }
benches:
  oven: { parts: { box: box, view: eye }, labs: [oven], safeState: { box.value: 0 } }
`,
    },
    dataFolder: join(lab.folder, 'nodes', 'kitchen'),
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
    site: 'main',
    credential: await lab.hub.enrollInProcess('kitchen'),
    link: () => lab.hub.connectInProcess(),
    reconnectMs: 50,
    log: silentLog,
  })
  await until(async () => {
    const { state } = (await (await lab.call('/api/v1/benches/kitchen.oven')).json()) as { state?: string }
    return state === 'free' && edge.instruments.get('eye')?.connection.online === true
  }, 'the bench is free, and its camera is there')
  return {
    network,
    freeze: (frozen) => {
      isFrozen = frozen
    },
    close: async () => {
      clearInterval(showing)
      await edge.close()
      network.close()
    },
  }
}
