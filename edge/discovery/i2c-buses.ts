/** I2C buses that programs may use, and how to switch on the one of a Pi's header. */
import { type BootConfig, isSet, linesFor } from './boot-config.ts'
import type { Finding, Seen } from './find.ts'
import { type Accounts, refusalOf, refusedTrouble } from './person.ts'
import type { Access, Root } from './root.ts'

export interface I2cBusFacts {
  readonly bus: number
  /** What the kernel calls the adapter: `bcm2835 (i2c@7e804000)`. */
  readonly adapter: string
  /** Of `/dev/i2c-<bus>`; undefined where the module i2c-dev is not loaded. */
  readonly access?: Access
}

const group = 'I2C'
/** The bus of pins 3 and 5 of the header on every Pi since 2012. */
const headerBus = 1
/** Of graphics cards, chip sets and HDMI sockets: no instrument is wired to them. */
const foreign = /SMBus|AMDGPU|NVIDIA|i915|DPDDC|DDC|gmbus|hdmi|Radeon|Synopsys DesignWare.*LPSS/i

/** The buses of a machine, without those of its own graphics and chip set. */
export async function readI2cBuses(root: Root): Promise<I2cBusFacts[]> {
  const names = (await root.list('/sys/bus/i2c/devices')).filter((name) => /^i2c-\d+$/.test(name))
  const buses = await Promise.all(
    names.map(async (name): Promise<I2cBusFacts> => {
      const [adapter = name, access] = await Promise.all([
        root.text(`/sys/bus/i2c/devices/${name}/name`),
        root.access(`/dev/${name}`),
      ])
      return { bus: Number(name.slice('i2c-'.length)), adapter, ...(access === undefined ? {} : { access }) }
    }),
  )
  return buses.filter(({ bus, adapter }) => !foreign.test(adapter) && !(bus >= 20 && adapter.startsWith('bcm2835')))
}

/** The buses that there are. */
export function seeI2cBuses(buses: readonly I2cBusFacts[], accounts: Accounts): Seen[] {
  return buses.map(({ bus, adapter, access }): Seen => {
    const path = `/dev/i2c-${bus}`
    const refusal =
      access === undefined ? undefined : refusalOf(accounts, access, { match: 'SUBSYSTEM=="i2c-dev"', group: 'i2c' })
    const trouble = access === undefined ? noDevice : refusal === undefined ? undefined : refusedTrouble(refusal)
    return {
      group,
      find: { id: `i2c:${bus}`, kind: 'i2c-bus', title: `bus ${bus}`, path, keys: [`i2c:${bus}:`] },
      facts: [path, adapter, ...(bus === headerBus ? ['on a Pi pins 3 (SDA) and 5 (SCL)'] : [])],
      ...(trouble === undefined ? {} : { trouble }),
    }
  })
}

const noDevice = {
  verdict: 'look',
  detail: 'the module i2c-dev is not loaded. Type this',
  lines: ['echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf', 'sudo modprobe i2c-dev'],
} as const

/** What to do where the bus of a Pi's header is not there. */
export function headerBusMissing(buses: readonly I2cBusFacts[], config: BootConfig): Finding | undefined {
  if (buses.some(({ bus }) => bus === headerBus)) return undefined
  const what = `bus ${headerBus}`
  if (isSet(config, 'dtparam=i2c_arm=on')) {
    const detail = `is switched on in ${config.path}, but not there yet: start the Pi again`
    return { group, what, verdict: 'look', detail, lines: ['sudo reboot'] }
  }
  const detail = 'is switched off. For chips on pins 3 (SDA) and 5 (SCL), type this'
  return { group, what, verdict: 'off', detail, lines: linesFor(config, 'dtparam=i2c_arm=on') }
}
