/** What the kernel's error numbers mean on an I2C bus, and what to do (Documentation/i2c/fault-codes.rst). */
import { getSystemErrorName } from 'node:util'
import { LabError, type LabErrorInit } from '@fernlab/shared/primitives/lab-error'
import { hex } from './adapter.ts'

/** A failed transfer with the chip at the address; `bus` as people call it. */
export function transferFailed(bus: string, address: number, cause: NodeJS.ErrnoException): LabError {
  const where = `${hex(address)} on ${bus}`
  const errno = nameOf(cause)
  const failed = (code: string, message: string, more: Partial<LabErrorInit> = {}) =>
    new LabError({
      code,
      kind: 'link',
      retry: 'later',
      message: `${message} (${errno})`,
      cause,
      ...more,
      details: { bus, address, errno, ...more.details },
    })
  switch (errno) {
    case 'ENXIO':
    case 'EREMOTEIO':
      return noAnswer(where, failed)
    case 'ENODEV':
    case 'EBADF':
      // Of an address without a chip by some adapters, of the whole bus by one that was unplugged.
      return noAnswer(where, (code, message) => failed(code, message, { details: { reopen: true } }))
    case 'EBUSY':
      return failed(
        'i2c-address-in-use',
        `a driver of the kernel has ${where}: take the chip's overlay out of /boot/firmware/config.txt and start again`,
        { details: { reopen: true } },
      )
    case 'ETIMEDOUT':
    case 'EAGAIN':
      return failed(
        'i2c-bus-stuck',
        `${bus} does not come free: something holds SDA or SCL low; check the wiring of all chips on it, and switch their power off and on`,
      )
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
    case 'EINVAL':
      return failed('i2c-call-unsupported', `the adapter of ${bus} can not do what the chip at ${hex(address)} needs`, {
        retry: 'never',
      })
    default:
      return failed('i2c-broken-off', `a transfer with ${where} broke off: check for loose or long wires`)
  }
}

/** Node names fewer numbers than its library does: EREMOTEIO, by which a Raspberry Pi tells that nobody answered, is none. */
function nameOf({ code, errno }: NodeJS.ErrnoException): string {
  if (code !== undefined && code !== '') return code
  return errno === undefined ? 'unknown' : getSystemErrorName(-Math.abs(errno))
}

function noAnswer(where: string, failed: (code: string, message: string) => LabError): LabError {
  return failed('i2c-no-answer', `nothing answers at ${where}: check its wiring, its power and its address`)
}

/** A bus whose device could not be opened; `others` are the numbers of those that are there. */
export function busFailed(bus: number, cause: NodeJS.ErrnoException, others: readonly number[]): LabError {
  const device = `/dev/i2c-${bus}`
  const init = { kind: 'link', retry: 'later', cause, details: { bus, errno: cause.code ?? 'unknown' } } as const
  switch (cause.code) {
    case 'ENOENT': {
      const there =
        others.length === 0 ? 'there is no bus at all' : `there is ${others.map((n) => `bus ${n}`).join(', ')}`
      return new LabError({
        ...init,
        code: 'i2c-bus-missing',
        message: `I2C bus ${bus} is not enabled (no ${device}; ${there}): on a Raspberry Pi type "sudo raspi-config nonint do_i2c 0", or add the line dtparam=i2c_arm=on to /boot/firmware/config.txt and start it again`,
      })
    }
    case 'EACCES':
    case 'EPERM':
      return new LabError({
        ...init,
        code: 'i2c-no-permission',
        message: `this user may not use ${device}: add it to the group i2c (sudo usermod -aG i2c USER) and start the node again`,
      })
    default:
      return new LabError({ ...init, code: 'i2c-bus-failed', message: `${device} can not be opened: ${cause.message}` })
  }
}

/** The package is not there, or was never compiled. */
export function packageMissing(cause: unknown): LabError {
  return new LabError({
    code: 'i2c-package-missing',
    kind: 'link',
    retry: 'later',
    message:
      'instruments on I2C need the package i2c-bus, compiled on this machine: type "sudo apt install build-essential python3", then "npm install --include=optional" and "npm explore i2c-bus -- npx node-gyp rebuild" in the folder of Fernlab',
    cause,
  })
}
