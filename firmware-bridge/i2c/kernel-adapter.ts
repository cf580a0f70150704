/** An I2C bus of the kernel's, /dev/i2c-N, by the package i2c-bus, which is loaded when the first bus is opened. */
import { constants } from 'node:fs'
import { access, readdir, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import type { I2CBus } from 'i2c-bus'
import type { FoundAddress, I2cAdapter, I2cWire } from './adapter.ts'
import { busFailed, packageMissing, transferFailed } from './kernel-errors.ts'

type Package = Pick<typeof import('i2c-bus'), 'openSync'>
/** Its published type has an argument more than the call takes. */
interface QuickWriter {
  writeQuick(address: number, bit: 0 | 1, done: (error: NodeJS.ErrnoException | null) => void): void
}
type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void

/** Rejects with `i2c-bus-missing`, `i2c-no-permission` or `i2c-package-missing`; `devices` is where device files are. */
export async function openKernelAdapter(bus: number, devices = '/dev'): Promise<I2cAdapter> {
  try {
    await access(`${devices}/i2c-${bus}`, constants.R_OK | constants.W_OK)
  } catch (thrown) {
    throw busFailed(bus, thrown as NodeJS.ErrnoException, await kernelBuses(devices))
  }
  const { openSync } = await loadPackage()
  // It opens a device file for each address at the first transfer.
  const handle = openSync(bus)
  return {
    wire: (address) => kernelWire(handle, `I2C bus ${bus}`, address),
    scan: () => scan(openSync, bus),
    close: () => closed(handle),
  }
}

/** The numbers of the buses that this machine has. */
export async function kernelBuses(devices = '/dev'): Promise<number[]> {
  const names = await readdir(devices)
  return names
    .flatMap((name) => /^i2c-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

async function loadPackage(): Promise<Package> {
  try {
    return (await import('i2c-bus')).default
  } catch (cause) {
    throw packageMissing(cause)
  }
}

function closed(handle: I2CBus): Promise<void> {
  // What cannot be closed is gone already.
  return new Promise((resolve) => handle.close(() => resolve()))
}

function kernelWire(handle: I2CBus, bus: string, address: number): I2cWire {
  const call = <T>(start: (done: Done<T>) => void) =>
    new Promise<T>((resolve, reject) => {
      start((error, value) => {
        if (error) reject(transferFailed(bus, address, error))
        else resolve(value)
      })
    })
  const swapped = (word: number) => ((word & 0xff) << 8) | (word >> 8)
  const received = async (length: number, start: (buffer: Buffer, done: Done<number>) => void) => {
    const buffer = Buffer.alloc(length)
    const got = await call<number>((done) => start(buffer, done))
    if (got === length) return buffer
    throw transferFailed(bus, address, new Error(`${got} bytes instead of ${length}`))
  }
  return {
    readByte: (register) => call((done) => handle.readByte(address, register, done)),
    writeByte: (register, value) => call((done) => handle.writeByte(address, register, value, done)),
    // What is read most; a promise of its own spares one of swapping.
    readWord: (register) =>
      new Promise((resolve, reject) => {
        handle.readWord(address, register, (error, word) => {
          if (error) reject(transferFailed(bus, address, error))
          else resolve(swapped(word))
        })
      }),
    writeWord: (register, value) => call((done) => handle.writeWord(address, register, swapped(value), done)),
    readBlock: (register, length) =>
      received(length, (buffer, done) => handle.readI2cBlock(address, register, length, buffer, done)),
    writeBlock: async (register, bytes) => {
      await call((done) => handle.writeI2cBlock(address, register, bytes.length, Buffer.from(bytes), done))
    },
    read: (length) => received(length, (buffer, done) => handle.i2cRead(address, length, buffer, done)),
    write: async (bytes) => {
      await call((done) => handle.i2cWrite(address, bytes.length, Buffer.from(bytes), done))
    },
  }
}

/** As i2cdetect does it: a write of no bytes, but a read of one where memories could take a write for a command. */
async function scan(openSync: Package['openSync'], bus: number): Promise<FoundAddress[]> {
  const handle = openSync(bus)
  const found: FoundAddress[] = []
  try {
    for (let address = 0x08; address <= 0x77; address++) {
      const isRead = (address >= 0x30 && address <= 0x37) || (address >= 0x50 && address <= 0x5f)
      const code = await asked(handle, address, isRead)
      if (code === undefined) found.push({ address, state: 'answers' })
      else if (code === 'EBUSY') found.push({ address, state: 'kernel', ...(await kernelDriver(bus, address)) })
      else if (code === 'EOPNOTSUPP' && (await asked(handle, address, true)) === undefined) {
        found.push({ address, state: 'answers' })
      }
    }
  } finally {
    await closed(handle)
  }
  return found
}

/** The error's code, or undefined when there was an answer. */
function asked(handle: I2CBus, address: number, isRead: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (error: NodeJS.ErrnoException | null) => resolve(error ? (error.code ?? 'unknown') : undefined)
    if (isRead) handle.receiveByte(address, done)
    else (handle as unknown as QuickWriter).writeQuick(address, 0, done)
  })
}

async function kernelDriver(bus: number, address: number): Promise<{ driver?: string }> {
  const device = `/sys/bus/i2c/devices/${bus}-${address.toString(16).padStart(4, '0')}`
  try {
    return { driver: basename(await readlink(`${device}/driver`)) }
  } catch {
    return {} // held through /dev by a program that forces its way
  }
}
