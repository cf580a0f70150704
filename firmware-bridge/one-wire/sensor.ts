/** A DS18B20 as the kernel's driver w1_therm shows it (Documentation/w1/slaves/w1_therm.rst). */
import { access, readFile, writeFile } from 'node:fs/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface W1Sensor {
  /** The text of `w1_slave`; reading it makes the sensor measure first, for up to 750 ms. */
  slave(): Promise<string>
  /** Rejects with `one-wire-absent` or `one-wire-missing` where the kernel has no such sensor. */
  check(): Promise<void>
  /** Sets its resolution until it loses its power: 9 to 12 bits. */
  setBits(bits: number): Promise<void>
}

/** The sensor of that number; `root` is where the kernel's sysfs is. */
export function kernelSensor(id: string, root = '/sys'): W1Sensor {
  const devices = `${root}/bus/w1/devices`
  const folder = `${devices}/${id}`
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (thrown) {
      throw await fileFailed(id, devices, thrown as NodeJS.ErrnoException)
    }
  }
  return {
    slave: () => translated(readFile(`${folder}/w1_slave`, 'utf8')),
    check: () => translated(access(`${folder}/w1_slave`)),
    // Since Linux 5.10 there is a file for it; before, what is written into w1_slave is the resolution.
    setBits: (bits) =>
      translated(
        writeFile(`${folder}/resolution`, `${bits}`, { flag: 'r+' }).catch((thrown: NodeJS.ErrnoException) => {
          if (thrown.code !== 'ENOENT') throw thrown
          return writeFile(`${folder}/w1_slave`, `${bits}`, { flag: 'r+' })
        }),
      ),
  }
}

async function fileFailed(id: string, devices: string, cause: NodeJS.ErrnoException): Promise<LabError> {
  const failed = (code: string, message: string) =>
    new LabError({ code, kind: 'link', retry: 'later', message, details: { sensor: id }, cause })
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return failed(
      'one-wire-no-permission',
      `this user may not set the resolution of ${id}: leave bits out of its config, or let the group of the node write its file "resolution" by a udev rule`,
    )
  }
  if (cause.code !== 'ENOENT' && cause.code !== 'ENODEV' && cause.code !== 'EIO') {
    return failed('one-wire-failed', `${id} can not be read: ${cause.message}`)
  }
  const isEnabled = await access(devices).then(
    () => true,
    () => false,
  )
  if (isEnabled) {
    return failed(
      'one-wire-absent',
      `the sensor ${id} does not answer: check its wires, the resistor of 4.7 kOhm between data and 3.3 V, and its number (ls /sys/bus/w1/devices)`,
    )
  }
  return failed(
    'one-wire-missing',
    '1-wire is not enabled: on a Raspberry Pi type "sudo raspi-config nonint do_onewire 0", or add the line dtoverlay=w1-gpio to /boot/firmware/config.txt, and start it again',
  )
}
