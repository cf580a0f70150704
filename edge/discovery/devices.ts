/** 1-wire sensors, USB instruments that speak usbtmc, and cameras. */

import { type UsbtmcName, usbtmcKeys } from '@fernlab/firmware-bridge/transports/usbtmc/config'
import { type BootConfig, isSet, linesFor } from './boot-config.ts'
import type { Finding, Seen } from './find.ts'
import { readLinks } from './links.ts'
import { type Accounts, refusalOf, refusedTrouble } from './person.ts'
import type { Access, Root } from './root.ts'
import { readUsb, type UsbFacts } from './serial-ports.ts'

export interface OneWireFacts {
  readonly masters: number
  /** As the kernel names them: `28-0000075c5a3e`. */
  readonly sensors: readonly string[]
}

export interface DeviceFacts {
  readonly path: string
  /** Links to it, those first that stay the same longest. */
  readonly names?: readonly string[]
  readonly name?: string
  readonly access: Access
  readonly usb?: UsbFacts
  /** The USB socket that it is plugged into: `1-1.4`. */
  readonly socket?: string
}

/** By the family code that their number begins with (Maxim application note 155). */
const families: Readonly<Record<string, string>> = {
  '10': 'DS18S20, temperature',
  '22': 'DS1822, temperature',
  '28': 'DS18B20, temperature',
  '26': 'DS2438, battery monitor',
  '3b': 'DS1825 or MAX31850, temperature',
  '42': 'DS28EA00, temperature',
}

export async function readOneWire(root: Root): Promise<OneWireFacts> {
  const names = await root.list('/sys/bus/w1/devices')
  return {
    masters: names.filter((name) => name.startsWith('w1_bus_master')).length,
    // Of family 00 are the ghosts that a line without a pull-up resistor shows.
    sensors: names.filter((name) => /^(?!00)[0-9a-f]{2}-[0-9a-f]{12}$/.test(name)),
  }
}

export function seeOneWire({ sensors }: OneWireFacts): Seen[] {
  return sensors.map((name): Seen => {
    const path = `/sys/bus/w1/devices/${name}`
    const title = families[name.slice(0, 2)] ?? `family ${name.slice(0, 2)}`
    return {
      group: '1-wire',
      find: { id: `w1:${name}`, kind: 'one-wire', title, path, keys: [`w1:${name}`] },
      facts: [path],
    }
  })
}

/** What a 1-wire bus without sensors, or a Pi without such a bus, can be told. */
export function oneWireMissing({ masters, sensors }: OneWireFacts, config: BootConfig | undefined): Finding[] {
  const group = '1-wire'
  if (sensors.length > 0) return []
  if (masters > 0) {
    const detail = 'no sensor answers: the data line needs a resistor of 4.7 kΩ to 3.3 V, and all three wires'
    return [{ group, what: 'bus', verdict: 'look', detail }]
  }
  if (config === undefined) return []
  if (isSet(config, 'dtoverlay=w1-gpio')) {
    const detail = `is switched on in ${config.path}, but not there yet: start the Pi again`
    return [{ group, what: 'bus', verdict: 'look', detail, lines: ['sudo reboot'] }]
  }
  const detail = 'is switched off. For DS18B20 sensors on pin 7 (GPIO4), type this'
  return [{ group, what: 'bus', verdict: 'off', detail, lines: linesFor(config, 'dtoverlay=w1-gpio') }]
}

export async function readUsbtmc(root: Root): Promise<DeviceFacts[]> {
  const names = (await root.list('/dev')).filter((name) => /^usbtmc\d+$/.test(name))
  return await readDevices(
    root,
    names.map((name) => ({ path: `/dev/${name}`, inSys: `/sys/class/usbmisc/${name}` })),
  )
}

export function seeUsbtmc(devices: readonly DeviceFacts[], accounts: Accounts): Seen[] {
  return devices.map((device): Seen => {
    const { path, access, usb, socket } = device
    const refusal = refusalOf(accounts, access, {
      match: 'SUBSYSTEM=="usbmisc", KERNEL=="usbtmc*"',
      group: 'dialout',
    })
    const title = [usb?.maker, usb?.name].filter((word) => word !== undefined).join(' ')
    const known = nameOf(device)
    // Of two with one number, as cheap ones have it, the socket alone tells which.
    const isOnly = devices.filter((each) => each.usb?.serial === usb?.serial).length === 1
    const { socket: _, ...numbered } = known
    const { serial } = known
    const name = (serial !== undefined && isOnly) || socket === undefined ? numbered : { socket }
    const numbers = usb === undefined ? [] : [`USB ${usb.vendor}:${usb.product}`]
    return {
      group: 'USB instruments',
      find: {
        id: `usbtmc:${(isOnly ? serial : undefined) ?? socket ?? path.slice('/dev/'.length)}`,
        kind: 'usbtmc',
        title: title === '' ? 'instrument' : title,
        path,
        keys: usbtmcKeys(known),
        name,
      },
      facts: [
        ...(serial === undefined ? [] : [`serial number ${serial}`]),
        ...(socket === undefined ? [] : [`socket ${socket}`]),
        ...numbers,
        `now ${path}`,
      ],
      ...(refusal === undefined ? {} : { trouble: refusedTrouble(refusal) }),
    }
  })
}

const nameOf = ({ usb, socket }: DeviceFacts): UsbtmcName => ({
  ...(usb === undefined ? {} : { vendor: usb.vendor, product: usb.product }),
  ...(usb?.serial === undefined ? {} : { serial: usb.serial }),
  ...(socket === undefined ? {} : { socket }),
})

/** Parts of a Pi's own video unit, which take no pictures. */
const noCamera = /codec|isp|rpivid|hevc|unicam-embedded|pispbe|rp1-cfe-(embedded|fe_)/i

export async function readCameras(root: Root): Promise<DeviceFacts[]> {
  const names = (await root.list('/sys/class/video4linux')).filter((name) => /^video\d+$/.test(name))
  const first = await Promise.all(
    names.map(async (name) => {
      const index = await root.text(`/sys/class/video4linux/${name}/index`)
      return index === undefined || index === '0' ? [name] : []
    }),
  )
  const found = await readDevices(
    root,
    first.flat().map((name) => ({ path: `/dev/${name}`, inSys: `/sys/class/video4linux/${name}` })),
  )
  const links = await readLinks(root, ['/dev/v4l/by-id', '/dev/v4l/by-path'])
  return found
    .filter(({ name = '' }) => !noCamera.test(name))
    .map((camera) => ({ ...camera, names: links.filter(({ to }) => to === camera.path).map(({ path }) => path) }))
}

export function seeCameras(devices: readonly DeviceFacts[], accounts: Accounts): Seen[] {
  return devices.map(({ path: device, names = [], name = 'camera', access }): Seen => {
    const path = names[0] ?? device
    const refusal = refusalOf(accounts, access, { match: 'SUBSYSTEM=="video4linux"', group: 'video' })
    return {
      group: 'Cameras',
      find: {
        id: `camera:${path.slice(path.lastIndexOf('/') + 1)}`,
        kind: 'camera',
        title: name,
        path,
        keys: [device, ...names].map((each) => `camera:${each}`),
      },
      facts: path === device ? [path] : [path, `now ${device}`],
      ...(refusal === undefined ? {} : { trouble: refusedTrouble(refusal) }),
    }
  })
}

async function readDevices(
  root: Root,
  places: readonly { readonly path: string; readonly inSys: string }[],
): Promise<DeviceFacts[]> {
  const found = await Promise.all(
    places.map(async ({ path, inSys }): Promise<DeviceFacts[]> => {
      const [access, name, place] = await Promise.all([
        root.access(path),
        root.text(`${inSys}/name`),
        root.real(`${inSys}/device`),
      ])
      if (access === undefined) return []
      const usb = place === undefined ? undefined : await readUsb(root, place)
      const socket = place?.match(/\/(\d+-[\d.]+):[\d.]+$/)?.[1]
      return [
        {
          path,
          access,
          ...(name === undefined ? {} : { name }),
          ...(usb === undefined ? {} : { usb }),
          ...(socket === undefined ? {} : { socket }),
        },
      ]
    }),
  )
  return found.flat()
}
