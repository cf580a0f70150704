/** Serial ports by the names that they keep, and what is at their other end as far as USB says. */
import { dirname } from 'node:path'
import { boardOf } from './boards.ts'
import type { Seen } from './find.ts'
import { readLinks } from './links.ts'
import { type Accounts, refusalOf, refusedTrouble } from './person.ts'
import type { Access, Root } from './root.ts'

export interface UsbFacts {
  readonly vendor: string
  readonly product: string
  readonly maker?: string
  readonly name?: string
  readonly serial?: string
}

export interface SerialPortFacts {
  /** As the kernel numbered it: `/dev/ttyUSB0`. */
  readonly device: string
  /** Links to it: by-id, by-path and a Pi's `/dev/serial0`, those first that stay the same longest. */
  readonly names: readonly string[]
  readonly access: Access
  readonly usb?: UsbFacts
  /** Whether the kernel's console talks on it. */
  readonly console: boolean
}

const linkFolders = ['/dev/serial/by-id', '/dev/serial/by-path']
const piLinks = ['/dev/serial0', '/dev/serial1']
/** How far a port can be below its USB device: interface, port of an adapter, tty. */
const usbDepth = 5

/** The ports of a machine; those of the kernel's list that no hardware is behind are left out. */
export async function readSerialPorts(root: Root): Promise<SerialPortFacts[]> {
  const names = (await root.list('/sys/class/tty')).filter((name) => /^tty(USB|ACM|AMA|S|XRUSB|SC|mxc)\d+$/.test(name))
  const links = await readLinks(root, linkFolders, piLinks)
  const commandLine = (await root.text('/proc/cmdline')) ?? ''
  const consoles = [...commandLine.matchAll(/(?:^|\s)console=([^\s,]+)/g)].map(([, name]) => name)
  const ports = await Promise.all(
    names.map(async (name): Promise<SerialPortFacts[]> => {
      const device = `/dev/${name}`
      const [access, type, behind] = await Promise.all([
        root.access(device),
        root.text(`/sys/class/tty/${name}/type`),
        root.real(`/sys/class/tty/${name}/device`),
      ])
      // A PC's kernel lists 32 ports, of which those without a chip have type 0.
      if (access === undefined || behind === undefined || (name.startsWith('ttyS') && type === '0')) return []
      const aliases = links.filter(({ to }) => to === device).map(({ path }) => path)
      const usb = await readUsb(root, behind)
      const onConsole = [device, ...aliases].some((path) => consoles.includes(path.slice('/dev/'.length)))
      return [{ device, names: aliases, access, console: onConsole, ...(usb === undefined ? {} : { usb }) }]
    }),
  )
  return ports.flat()
}

/** What the USB device says of itself that is at or above a place of /sys; undefined where there is none. */
export async function readUsb(root: Root, place: string): Promise<UsbFacts | undefined> {
  let folder = place
  for (let depth = 0; depth < usbDepth && folder !== '/'; depth++, folder = dirname(folder)) {
    const vendor = await root.text(`${folder}/idVendor`)
    if (vendor === undefined) continue
    const [product = '', maker, name, serial] = await Promise.all(
      ['idProduct', 'manufacturer', 'product', 'serial'].map((file) => root.text(`${folder}/${file}`)),
    )
    return {
      vendor,
      product,
      ...(maker === undefined ? {} : { maker }),
      ...(name === undefined ? {} : { name }),
      ...(serial === undefined ? {} : { serial }),
    }
  }
  return undefined
}

/** What the ports are, and what keeps the node from them. */
export function seeSerialPorts(ports: readonly SerialPortFacts[], accounts: Accounts): Seen[] {
  return ports.map((port): Seen => {
    const { device, names, usb } = port
    const path = names[0] ?? device
    const known = usb === undefined ? undefined : boardOf(usb.vendor, usb.product)
    const title = known?.title ?? usb?.name ?? 'serial port'
    const trouble = port.console ? consoleTrouble(port) : lookAt(port, accounts)
    return {
      group: 'Serial ports',
      find: {
        id: `serial:${path.slice(path.lastIndexOf('/') + 1)}`,
        kind: 'serial',
        title,
        path,
        keys: [device, ...names].map((name) => `serial:${name}`),
        ...(known?.board === undefined ? {} : { board: known.board }),
      },
      facts: [path, ...(path === device ? [] : [`now ${device}`]), ...(usb === undefined ? [] : usbFacts(usb))],
      ...(trouble === undefined ? {} : { trouble }),
    }
  })
}

const lookAt = ({ access }: SerialPortFacts, accounts: Accounts): Seen['trouble'] => {
  const refusal = refusalOf(accounts, access, { match: 'SUBSYSTEM=="tty"', group: 'dialout' })
  return refusal === undefined ? undefined : refusedTrouble(refusal)
}

const consoleTrouble = ({ device, names }: SerialPortFacts): Seen['trouble'] => {
  return names.some((name) => piLinks.includes(name))
    ? {
        verdict: 'look',
        detail: "the kernel's console talks on it, so that an instrument there would read its messages. Type this",
        lines: ['sudo raspi-config nonint do_serial_cons 1', 'sudo reboot'],
      }
    : {
        verdict: 'look',
        detail: `the kernel's console talks on it, so that an instrument there would read its messages; take console=${device.slice('/dev/'.length)} out of its command line`,
      }
}

const usbFacts = ({ vendor, product, serial }: UsbFacts): string[] => [
  `USB ${vendor}:${product}`,
  ...(serial === undefined ? [] : [`serial number ${serial}`]),
]
