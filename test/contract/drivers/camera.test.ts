import { createCameraDriver } from '@fernlab/edge/drivers/camera/camera'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'

const openTransport = async () => {
  throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a camera needs no transport' })
}

/** One that Linux knows, as `/dev/video0`, where there is one to try. */
const real = process.env.FERNLAB_CAMERA
const sources = [
  ['emulated', { kind: 'emulated' }],
  ...(real === undefined ? [] : [[real, { kind: 'v4l2', path: real }] as const]),
] as const

for (const [name, source] of sources) {
  driverContract(`camera, ${name}`, async () => ({
    driver: createCameraDriver(),
    config: { source, width: 320, height: 240, rateHz: 25 },
    context: { name: 'eye', clock: systemClock, log: silentLog, openTransport, configFolder: '.' },
    release: async () => {},
    settable: { name: 'rate_limit', values: [2, 7.5] },
    readable: ['brightness', 'contrast', 'rate'],
    action: 'take_picture',
  }))
}
