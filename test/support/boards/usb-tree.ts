/** What Linux shows of USB below /sys, in a folder of its own: sockets, what is plugged into them, ports and drives. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export interface UsbAttributes {
  readonly idVendor: string
  readonly idProduct: string
  readonly serial?: string
}

export interface UsbTree {
  readonly sys: string
  /** As the kernel lists mounts. */
  readonly mounts: string
  /** Plugs a device into a socket, as 1-1.4; gives the numbers that it has until it is pulled. */
  plug(socket: string, attributes: UsbAttributes): { readonly bus: number; readonly address: number }
  pull(socket: string): void
  /** The serial port of a device. */
  port(socket: string, path: string): void
  /** The drive of a device, mounted. */
  drive(socket: string, device: string, folder: string): void
}

/** The sockets are those of a controller at PCI 0000:01:00.0. */
export function usbTree(): UsbTree {
  const root = mkdtempSync(join(tmpdir(), 'fernlab-usb-'))
  const sys = join(root, 'sys')
  const mounts = join(root, 'mounts')
  const devices = join(sys, 'bus/usb/devices')
  for (const folder of [devices, join(sys, 'class/tty'), join(sys, 'class/block')])
    mkdirSync(folder, { recursive: true })
  writeFileSync(mounts, 'proc /proc proc rw 0 0\n')
  let address = 1
  const placeOf = (socket: string) => join(sys, 'devices/pci0000:00/0000:01:00.0/usb1/1-1', socket)
  const under = (socket: string, part: string) => {
    const place = join(placeOf(socket), `${socket}:1.0`, part)
    mkdirSync(place, { recursive: true })
    return place
  }
  return {
    sys,
    mounts,
    plug: (socket, attributes) => {
      const place = placeOf(socket)
      mkdirSync(place, { recursive: true })
      address += 1
      for (const [name, value] of Object.entries({ ...attributes, busnum: 1, devnum: address }))
        writeFileSync(join(place, name), `${value}\n`)
      symlinkSync(place, join(devices, socket))
      return { bus: 1, address }
    },
    pull: (socket) => {
      rmSync(join(devices, socket))
      rmSync(placeOf(socket), { recursive: true })
    },
    port: (socket, path) => {
      const folder = join(sys, 'class/tty', basename(path))
      mkdirSync(folder, { recursive: true })
      rmSync(join(folder, 'device'), { force: true })
      symlinkSync(under(socket, '.'), join(folder, 'device'))
      under(socket, `tty/${basename(path)}`)
    },
    drive: (socket, device, folder) => {
      symlinkSync(under(socket, `host0/block/${basename(device)}`), join(sys, 'class/block', basename(device)))
      writeFileSync(mounts, `${device} ${folder.replaceAll(' ', '\\040')} vfat rw,nosuid 0 0\n`, { flag: 'a' })
    },
  }
}
