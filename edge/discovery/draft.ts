/** The entry of node.yaml that makes an instrument of a find, as far as the find says it. */
import type { Find } from './find.ts'

export interface Draft {
  readonly driver: string
  readonly config: Readonly<Record<string, unknown>>
  /** What a person has to say besides, as it is typed. */
  readonly wanted?: string
}

/** What becomes of a find by itself; undefined where no driver takes it. */
export function draftOf(find: Omit<Find, 'instruments'>): Draft | undefined {
  switch (find.kind) {
    case 'serial':
      return {
        driver: 'scpi',
        config: { transport: { kind: 'serial', path: find.path } },
        wanted: '--driver scpi --set model=MODEL',
      }
    case 'i2c-chip': {
      const [, bus, address] = find.id.split(':')
      const [chip, ...others] = find.chips ?? []
      if (chip === undefined) return undefined
      const only = others.length === 0
      return {
        driver: 'i2c',
        config: { bus: Number(bus), ...(only ? { chip } : {}), address: Number(address) },
        ...(only ? {} : { wanted: '--set chip=CHIP' }),
      }
    }
    case 'gpio':
      return {
        driver: 'gpio',
        config: find.keys.includes('gpio:header:') ? {} : { chip: find.title },
        wanted: "--set pins.led='{ pin: 17, direction: out }'",
      }
    case 'camera':
      return { driver: 'camera', config: { source: { kind: 'v4l2', path: find.path } } }
    case 'one-wire': {
      const sensor = find.id.slice('w1:'.length)
      return sensor.startsWith('28-') ? { driver: 'one-wire', config: { sensor } } : undefined
    }
    case 'usbtmc':
      return {
        driver: 'scpi',
        config: { transport: { kind: 'usbtmc', ...find.name } },
        wanted: '--set model=MODEL',
      }
    case 'i2c-bus':
      return undefined
  }
}
