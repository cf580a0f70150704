/** The driver `camera`: what a camera of the node sees, by ffmpeg. */
import { access, constants, readdir } from 'node:fs/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Claim, Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { CameraInstrument } from './camera-instrument.ts'
import { type CameraConfig, type CameraSource, cameraConfigSchema } from './config.ts'
import { startEncoder } from './encoder.ts'
import { cameraCommands } from './ffmpeg.ts'

/** The driver for node.yaml's `driver: camera`. */
export function createCameraDriver(): Driver {
  return driverOf({ kind: 'camera', schema: cameraConfigSchema, claims: claimsOf, create })
}

function claimsOf({ source }: CameraConfig): Claim[] {
  switch (source.kind) {
    case 'v4l2':
      return [{ key: `camera:${source.path}`, what: `the camera ${source.path}`, path: ['source', 'path'] }]
    case 'pi':
      return [{ key: `camera:pi:${source.camera}`, what: `the Pi's camera ${source.camera}`, path: ['source'] }]
    default:
      return []
  }
}

async function create(config: CameraConfig, { name, clock }: DriverContext): Promise<Instrument> {
  const { source, width, height, rateHz } = config
  const commands = cameraCommands(config)
  return new CameraInstrument({
    name,
    config,
    identity: `camera ${whereOf(source)}, ${width} x ${height} at ${rateHz} Hz`,
    ready: async () => {
      if (source.kind === 'v4l2') await requireDevice(source.path)
    },
    start: (listeners) => startEncoder({ commands, clock, ...listeners }),
    clock,
  })
}

function whereOf(source: CameraSource): string {
  switch (source.kind) {
    case 'v4l2':
      return source.path
    case 'pi':
      return `${source.camera} of the Pi`
    case 'network':
      return source.url
    case 'emulated':
      return `emulated (${source.shows})`
  }
}

async function requireDevice(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK | constants.W_OK)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    const wrong = (message: string) =>
      new LabError({ code: 'camera-unreachable', kind: 'link', retry: 'later', message, cause: thrown })
    if (code !== 'ENOENT') {
      throw wrong(`${path} may not be used: put the node's user in the group video (sudo usermod -aG video $USER)`)
    }
    const there = (await readdir('/dev')).filter((file) => /^video\d+$/.test(file)).map((file) => `/dev/${file}`)
    throw wrong(`there is no camera at ${path}; there is ${there.length === 0 ? 'none' : there.sort().join(', ')}`)
  }
}
