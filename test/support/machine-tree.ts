/** A folder that looks like the root of a machine: what discovery reads of a Raspberry Pi and of what is plugged in. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

export interface MachineTree {
  readonly folder: string
  file(path: string, text: string): void
  /** A device of a group; `mode` as 0o660. */
  device(path: string, options?: { readonly group?: 'dialout' | 'root'; readonly mode?: number }): void
  /** A link as the kernel and udev make them: relative. */
  link(path: string, to: string): void
  remove(path: string): void
  /** Ends it. */
  end(): void
}

/** The group that the devices of the tree belong to. */
export const deviceGroup = 20

/** A tree with nothing in it but accounts. */
export function machineTree(): MachineTree {
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-machine-'))
  const at = (path: string) => join(folder, path)
  const make = (path: string) => mkdirSync(dirname(at(path)), { recursive: true })
  const file = (path: string, text: string) => {
    make(path)
    writeFileSync(at(path), text)
  }
  const isRoot = process.getuid?.() === 0
  const own = statSync(folder)
  const gid = isRoot ? deviceGroup : own.gid
  file('/etc/group', `root:x:0:\ndialout:x:${gid}:\nvideo:x:44:pi\ngpio:x:993:\n`)
  return {
    folder,
    file,
    device: (path, { group = 'dialout', mode = 0o660 } = {}) => {
      file(path, '')
      if (isRoot) chownSync(at(path), 0, group === 'root' ? 0 : deviceGroup)
      chmodSync(at(path), mode)
    },
    link: (path, to) => {
      make(path)
      symlinkSync(relative(dirname(at(path)), at(to)), at(path))
    },
    remove: (path) => rmSync(at(path), { recursive: true }),
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const soc = '/sys/devices/platform/soc'
const usb = '/sys/devices/platform/scb/fd500000.pcie/usb1'

/** A serial port of a USB device, with the names that udev gives it. */
export function plugIn(
  tree: MachineTree,
  port: {
    readonly tty: string
    readonly at: string
    readonly vendor: string
    readonly product: string
    readonly name: string
    readonly serial?: string
    readonly byId?: string
  },
): void {
  const device = `${usb}/${port.at}`
  tree.file(`${device}/idVendor`, `${port.vendor}\n`)
  tree.file(`${device}/idProduct`, `${port.product}\n`)
  tree.file(`${device}/product`, `${port.name}\n`)
  if (port.serial !== undefined) tree.file(`${device}/serial`, `${port.serial}\n`)
  const tty = `${device}/${port.at}:1.0/tty/${port.tty}`
  tree.file(`${tty}/dev`, '166:0\n')
  tree.link(`${tty}/device`, `${device}/${port.at}:1.0`)
  tree.link(`/sys/class/tty/${port.tty}`, tty)
  tree.device(`/dev/${port.tty}`)
  if (port.byId !== undefined) tree.link(`/dev/serial/by-id/${port.byId}`, `/dev/${port.tty}`)
  tree.link(`/dev/serial/by-path/platform-usb-${port.at}`, `/dev/${port.tty}`)
}

/** A Pi 4 with the I2C bus on, an Uno, an adapter without a serial number, a temperature sensor and a camera. */
export function raspberryPi(): MachineTree {
  const tree = machineTree()
  tree.file('/proc/device-tree/model', 'Raspberry Pi 4 Model B Rev 1.4\0')
  tree.file('/etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')
  tree.file('/proc/sys/kernel/osrelease', '6.6.51+rpt-rpi-v8\n')
  tree.file('/sys/class/thermal/thermal_zone0/temp', '41868\n')
  tree.file(`${soc}/soc:firmware/get_throttled`, '0\n')
  tree.file('/boot/firmware/config.txt', '# pi\ndtparam=i2c_arm=on\n[cm4]\ndtoverlay=w1-gpio\n[all]\nenable_uart=1\n')
  tree.file('/proc/cmdline', 'console=tty1 root=PARTUUID=1 rootwait\n')
  plugIn(tree, {
    tty: 'ttyACM0',
    at: '1-1.2',
    vendor: '2341',
    product: '0043',
    name: 'Arduino Uno',
    serial: '75630313636351D0F0C1',
    byId: 'usb-Arduino__www.arduino.cc__0043_75630313636351D0F0C1-if00',
  })
  plugIn(tree, { tty: 'ttyUSB0', at: '1-1.3', vendor: '1a86', product: '7523', name: 'USB Serial' })
  tree.file(`${soc}/fe804000.i2c/i2c-1/name`, 'bcm2835 (i2c@7e804000)\n')
  tree.link('/sys/bus/i2c/devices/i2c-1', `${soc}/fe804000.i2c/i2c-1`)
  tree.file(`${soc}/fef04500.i2c/i2c-21/name`, 'bcm2835 (i2c@7ef04500)\n')
  tree.link('/sys/bus/i2c/devices/i2c-21', `${soc}/fef04500.i2c/i2c-21`)
  tree.device('/dev/i2c-1')
  tree.device('/dev/i2c-21')
  const header = `${soc}/fe200000.gpio`
  tree.file(`${header}/of_node/compatible`, 'brcm,bcm2711-gpio\0')
  tree.file(`${header}/gpiochip0/dev`, '254:0\n')
  tree.link(`${header}/gpiochip0/of_node`, `${header}/of_node`)
  tree.link('/sys/bus/gpio/devices/gpiochip0', `${header}/gpiochip0`)
  tree.file(`${header}/gpio/gpiochip512/label`, 'pinctrl-bcm2711\n')
  tree.file(`${header}/gpio/gpiochip512/base`, '512\n')
  tree.file(`${header}/gpio/gpiochip512/ngpio`, '58\n')
  tree.link(`${header}/gpio/gpiochip512/device`, header)
  tree.link('/sys/class/gpio/gpiochip512', `${header}/gpio/gpiochip512`)
  tree.device('/dev/gpiochip0')
  tree.file('/sys/bus/w1/devices/w1_bus_master1/name', 'w1_bus_master1\n')
  tree.file('/sys/bus/w1/devices/28-0000075c5a3e/name', '28-0000075c5a3e\n')
  tree.file('/sys/bus/w1/devices/00-400000000000/name', '00-400000000000\n')
  tree.file('/sys/class/video4linux/video0/name', 'HD Pro Webcam C920\n')
  tree.file('/sys/class/video4linux/video0/index', '0\n')
  tree.file('/sys/class/video4linux/video1/name', 'HD Pro Webcam C920\n')
  tree.file('/sys/class/video4linux/video1/index', '1\n')
  tree.file('/sys/class/video4linux/video10/name', 'bcm2835-codec-decode\n')
  for (const name of ['video0', 'video1', 'video10']) tree.device(`/dev/${name}`)
  return tree
}
