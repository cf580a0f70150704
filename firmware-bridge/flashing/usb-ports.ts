/** Serial ports of boards by the sockets of the USB tree that they are plugged into, from /sys. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Folders, for tests elsewhere. */
export interface UsbPlaces {
  readonly sys: string
  readonly dev: string
}

export const usbPlaces: UsbPlaces = { sys: '/sys', dev: '/dev' }

/** A board's serial port, as it is until the board restarts or is pulled. */
export interface UsbPort {
  readonly path: string
  /** Another one each time that something is plugged in or restarts. */
  readonly address: number
  /** Vendor and product, as 2341:0036. */
  readonly id: string
}

/** The socket of the board whose serial port this is; undefined where the port is not on USB. */
export async function socketOfPort(path: string, sys: string): Promise<string | undefined> {
  // It may leave the bus in this moment.
  const name = basename(await realpath(path).catch(() => path))
  let place = await realpath(join(sys, 'class/tty', name, 'device')).catch(() => undefined)
  while (place !== undefined && place !== dirname(place)) {
    if (/^\d+-[\d.]+$/.test(basename(place))) return basename(place)
    place = dirname(place)
  }
  return undefined
}

/** The first serial port of what is plugged into the socket now; undefined where it has none. */
export async function portAt(socket: string, { sys, dev }: UsbPlaces): Promise<UsbPort | undefined> {
  const device = join(sys, 'bus/usb/devices', socket)
  const of = async (file: string) => (await readFile(join(device, file), 'utf8').catch(() => '')).trim()
  const interfaces = (await namesIn(device)).filter((name) => name.startsWith(`${socket}:`))
  const [address, vendor, product] = await Promise.all(['devnum', 'idVendor', 'idProduct'].map(of))
  for (const each of interfaces) {
    const [name] = await namesIn(join(device, each, 'tty'))
    if (name !== undefined) return { path: join(dev, name), address: Number(address), id: `${vendor}:${product}` }
  }
  return undefined
}

/** Sorted; none where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}
