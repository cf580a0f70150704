/** The instruments that the kernel's driver usbtmc has, from /sys, and the one that a config means. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type UsbtmcName, usbtmcText } from './config.ts'

export interface UsbInstrument extends UsbtmcName {
  /** /dev/usbtmc0 */
  readonly path: string
  readonly title: string
}

/** Folders, for tests elsewhere. */
export interface UsbPlaces {
  readonly sys: string
  readonly dev: string
}

export const usbPlaces: UsbPlaces = { sys: '/sys', dev: '/dev' }
const MOST_SHOWN = 8

/** Those that are plugged in and switched on. */
export async function usbInstruments({ sys, dev }: UsbPlaces): Promise<UsbInstrument[]> {
  const folder = join(sys, 'class/usbmisc')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^usbtmc\d+$/.test(name)).sort()
  const found = await Promise.all(
    names.map(async (name): Promise<UsbInstrument[]> => {
      const place = await realpath(join(folder, name, 'device')).catch(() => undefined)
      // Pulled in this moment.
      if (place === undefined) return []
      const device = dirname(place)
      const of = async (file: string) => (await readFile(join(device, file), 'utf8').catch(() => '')).trim()
      const [vendor = '', product = '', serial = '', maker = '', model = ''] = await Promise.all(
        ['idVendor', 'idProduct', 'serial', 'manufacturer', 'product'].map(of),
      )
      const known = { vendor, product, serial, socket: basename(device) }
      const named = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== ''))
      return [{ path: join(dev, name), title: `${maker} ${model}`.trim(), ...named }]
    }),
  )
  return found.flat()
}

/** The one that the config means; rejects with `transport-unreachable` when there is none, or more than one. */
export async function findUsbInstrument(name: UsbtmcName, places: UsbPlaces): Promise<UsbInstrument> {
  const all = await usbInstruments(places)
  const wanted = Object.entries(name).filter(([part]) => part !== 'kind')
  const fitting = all.filter((each) => wanted.every(([part, value]) => each[part as keyof UsbtmcName] === value))
  const [first, ...others] = fitting
  if (first === undefined) throw unreachable(name, `it is not there: ${absence(all)}`)
  if (others.length === 0) return first
  const which = `${fitting.length} instruments are of that name; tell them apart by serial or socket (${shown(fitting)})`
  throw unreachable(name, which)
}

/** The error for a USB instrument that cannot be opened. */
export function unreachable(name: UsbtmcName, reason: string): LabError {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `the USB instrument with ${usbtmcText(name)} cannot be opened: ${reason}`,
    studentMessage: 'An instrument of this bench cannot be reached. The staff can see why in the log.',
    details: { instrument: usbtmcText(name) },
  })
}

function absence(all: readonly UsbInstrument[]): string {
  const check = 'check that it is switched on, plugged in, and set to USB (USBTMC) in its menu'
  return `${check} (${all.length === 0 ? 'there is no USB instrument' : `there are ${shown(all)}`})`
}

function shown(all: readonly UsbInstrument[]): string {
  const words = all.slice(0, MOST_SHOWN).map((each) => `${each.title || each.path} with ${usbtmcText(each)}`)
  return [...words, ...(all.length > MOST_SHOWN ? [`${all.length - MOST_SHOWN} more`] : [])].join('; ')
}
