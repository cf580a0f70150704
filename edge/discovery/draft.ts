/** The entries of node.yaml that make an instrument of a find, as far as the find says them. */
import type { DraftSetting, HardwareDraft } from '@fernlab/shared/contracts/hardware-drafts'
import type { Find } from './find.ts'

export interface Draft {
  readonly driver: string
  readonly config: Readonly<Record<string, unknown>>
  /** What a person has to say besides, as it is typed. */
  readonly wanted?: string
}

/** Those that come with the driver `scpi` (edge/drivers/scpi/models), the real ones. */
export const scpiModels = [
  'keithley-2450',
  'keysight-34465a',
  'rigol-dg1022z',
  'rigol-dp832',
  'fern-dmm',
  'fern-fgen',
  'fern-psu',
] as const

const rates = [9600, 19_200, 38_400, 57_600, 115_200, 230_400, 250_000, 500_000, 1_000_000]
const rate = (usual: number): DraftSetting => ({
  name: 'baudRate',
  kind: 'rate',
  at: ['transport', 'baudRate'],
  choices: rates,
  usual,
})

/** What a find can become by the choice of a person, the likeliest first; nothing where no driver takes it. */
export function draftsOf(find: Omit<Find, 'instruments'>): HardwareDraft[] {
  switch (find.kind) {
    case 'serial': {
      const config = { transport: { kind: 'serial', path: find.path } }
      const board: HardwareDraft = { driver: 'board', config, settings: [rate(115_200)] }
      const scpi: HardwareDraft = {
        driver: 'scpi',
        config,
        settings: [{ name: 'model', kind: 'choice', at: ['model'], choices: [...scpiModels] }, rate(9600)],
      }
      return find.board === undefined ? [scpi, board] : [board, scpi]
    }
    case 'i2c-chip': {
      const [, bus, address] = find.id.split(':')
      const { chips = [] } = find
      if (chips.length === 0) return []
      return [
        {
          driver: 'i2c',
          config: { bus: Number(bus), address: Number(address) },
          settings: [{ name: 'chip', kind: 'choice', at: ['chip'], choices: [...chips] }],
        },
      ]
    }
    case 'gpio':
      return [
        {
          driver: 'gpio',
          config: find.keys.includes('gpio:header:') ? {} : { chip: find.title },
          settings: [
            { name: 'signal', kind: 'identifier', at: [] },
            {
              name: 'direction',
              kind: 'choice',
              at: ['pins', '{signal}', 'direction'],
              choices: ['in', 'out', 'counter', 'pwm'],
            },
            { name: 'pin', kind: 'number', at: ['pins', '{signal}', 'pin'], low: 0, high: 4095 },
          ],
        },
      ]
    case 'camera':
      return [{ driver: 'camera', config: { source: { kind: 'v4l2', path: find.path } }, settings: [] }]
    case 'one-wire': {
      const sensor = find.id.slice('w1:'.length)
      return sensor.startsWith('28-') ? [{ driver: 'one-wire', config: { sensor }, settings: [] }] : []
    }
    case 'usbtmc':
      return [
        {
          driver: 'scpi',
          config: { transport: { kind: 'usbtmc', ...find.name } },
          settings: [{ name: 'model', kind: 'choice', at: ['model'], choices: [...scpiModels] }],
        },
      ]
    case 'i2c-bus':
      return []
  }
}

/** The usual one for the command line, with what is left to say; undefined where no driver takes the find. */
export function draftOf(find: Omit<Find, 'instruments'>): Draft | undefined {
  if (find.kind === 'serial' && find.board === undefined)
    return {
      driver: 'scpi',
      config: { transport: { kind: 'serial', path: find.path } },
      wanted: '--driver scpi --set model=MODEL',
    }
  const [draft] = draftsOf(find)
  if (draft === undefined) return undefined
  const { driver, config } = draft
  switch (find.kind) {
    case 'serial':
      return { driver, config, wanted: '--driver board --set transport.baudRate=115200' }
    case 'i2c-chip': {
      const [chip, ...others] = find.chips ?? []
      if (others.length > 0) return { driver, config, wanted: '--set chip=CHIP' }
      const { bus, address } = config
      return { driver, config: { bus, ...(chip === undefined ? {} : { chip }), address } }
    }
    case 'gpio':
      return { driver, config, wanted: "--set pins.led='{ pin: 17, direction: out }'" }
    case 'usbtmc':
      return { driver, config, wanted: '--set model=MODEL' }
    default:
      return { driver, config }
  }
}
