/**
 * The Picos that wait in their boot loaders, from /sys, and which of them is the board behind a port.
 *
 * A port is gone while its board is in the boot loader, and the RP2040 has no number of its own there; what stays is the
 * socket of the USB tree that the board is plugged into, and on an RP2350 its number.
 */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** Folders, for tests elsewhere. */
export interface PicoPlaces {
  readonly sys: string
  readonly mounts: string
}

export const picoPlaces: PicoPlaces = { sys: '/sys', mounts: '/proc/self/mounts' }

/** A board in its boot loader. */
export interface BootLoader {
  /** In the USB tree, as 1-1.4: bus 1, socket 1 of the root, socket 4 of the hub there. */
  readonly socket: string
  /** The sockets alone, as 1.4, and what they are sockets of, as 0000:01:00.0 or xhci-hcd.0. */
  readonly devicePath: string
  readonly controller: string
  /** Both change whenever it is plugged in or restarted. */
  readonly bus: number
  readonly address: number
  readonly product: string
  /** Empty where it has none. */
  readonly serial: string
}

export type IsMeant = (board: BootLoader) => boolean

/** RP2040 datasheet, 2.8.4; RP2350 datasheet, 5.5. */
const VENDOR = '2e8a'
const PRODUCTS: readonly string[] = ['0003', '000f']
/** Of every RP2040. */
const NO_SERIAL = 'E0C9125B0D9B'

/** Those that are there, whichever kind they are. */
export async function bootLoaders(sys: string): Promise<BootLoader[]> {
  const folder = join(sys, 'bus/usb/devices')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+-[\d.]+$/.test(name)).sort()
  const all = await Promise.all(names.map((name) => bootLoaderAt(join(folder, name))))
  return all.filter((each) => each !== undefined)
}

async function bootLoaderAt(link: string): Promise<BootLoader | undefined> {
  const device = await realpath(link).catch(() => undefined)
  // Pulled in this moment.
  if (device === undefined) return undefined
  const of = async (file: string) => (await readFile(join(device, file), 'utf8').catch(() => '')).trim()
  const [vendor, product = '', serial = '', bus, address] = await Promise.all(
    ['idVendor', 'idProduct', 'serial', 'busnum', 'devnum'].map(of),
  )
  if (vendor !== VENDOR || !PRODUCTS.includes(product)) return undefined
  const [controller = ''] = /[^/]+(?=\/usb\d+\/)/.exec(device) ?? []
  const socket = basename(device)
  return {
    socket,
    devicePath: socket.slice(socket.indexOf('-') + 1),
    controller,
    bus: Number(bus),
    address: Number(address),
    product,
    serial: serial === NO_SERIAL ? '' : serial,
  }
}

/** The socket of the board whose drive this block device is (/dev/sda1). */
export async function socketOfDrive(device: string, sys: string): Promise<string | undefined> {
  const place = await realpath(join(sys, 'class/block', basename(device))).catch(() => '')
  return place
    .split('/')
    .filter((part) => /^\d+-[\d.]+$/.test(part))
    .at(-1)
}

export const atSocket =
  (socket: string): IsMeant =>
  (board) =>
    board.socket === socket

/**
 * What a port that is not there says of its board by its name alone: by-path the socket, by-id the number. Undefined for
 * a name that says neither, as /dev/ttyACM0. Pure.
 */
export function meantByName(path: string): IsMeant | undefined {
  const [, controller, devicePath] = /\/by-path\/(.+)-usb(?:v\d)?-\d+:([\d.]+):\d+\.\d+/.exec(path) ?? []
  if (controller !== undefined)
    return (board) => board.devicePath === devicePath && `-${controller}`.endsWith(`-${board.controller}`)
  const [, id] = /\/by-id\/(.+)-if\d+/.exec(path) ?? []
  if (id === undefined) return undefined
  return ({ serial }) => serial !== '' && id.toUpperCase().endsWith(`_${serial.toUpperCase()}`)
}
