/**
 * A USB device of a machine that is made here, outside of it: QEMU's device `usb-redir` carries what the machine's kernel
 * asks of it over a socket. Source: the protocol's description, usb-redirection-protocol.md of usbredir 0.8 or later.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { RunningMachine } from './machine.ts'

export interface UsbEndpoint {
  /** With 0x80 for those that the machine reads. */
  readonly address: number
  readonly kind: 'bulk' | 'interrupt'
  readonly maxPacket: number
}

export interface ControlRequest {
  readonly type: number
  readonly request: number
  readonly value: number
  readonly index: number
  readonly length: number
}

/** What a device is and does; it has one interface. */
export interface UsbDevice {
  readonly vendor: number
  readonly product: number
  readonly interfaceClass: readonly [number, number, number]
  readonly endpoints: readonly UsbEndpoint[]
  /** The answer to a control transfer; undefined stalls it. */
  control(request: ControlRequest): Buffer | undefined
  /** Bytes that the machine writes. */
  write(endpoint: number, bytes: Buffer): void
  /** The machine reads up to so many bytes; answered when there are any. Returns what is called when it no longer wants them. */
  read(endpoint: number, length: number, answer: (bytes: Buffer) => void): () => void
  /** What was read for and not answered is not waited for any more: the device was reset or pulled out. */
  reset(): void
}

export interface RedirectedUsb {
  /** Pulls it out, in the middle of whatever it does. */
  unplug(): void
  plug(): void
  close(): Promise<void>
}

const kinds = {
  hello: 0,
  connect: 1,
  disconnect: 2,
  reset: 3,
  interfaceInfo: 4,
  endpointInfo: 5,
  setConfiguration: 6,
  getConfiguration: 7,
  configurationStatus: 8,
  setAlternate: 9,
  getAlternate: 10,
  alternateStatus: 11,
  startInterrupt: 15,
  stopInterrupt: 16,
  interruptStatus: 17,
  cancel: 21,
  control: 100,
  bulk: 101,
} as const

/** The version of the device with its numbers, how large its packets are, ids of 64 bits and bulk lengths of 32: QEMU's xHCI wants them. */
const capabilities = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 6)
const status = { success: 0, cancelled: 1, stall: 4 } as const
const highSpeed = 2
const invalid = 255
const helloHeadBytes = 12
const headBytes = 16
const bulkBytes = 10
const helloBytes = 68

/** Puts the device into the machine's USB; resolves when it is plugged in, before the kernel has looked at it. */
export async function redirectUsb(machine: RunningMachine, name: string, device: UsbDevice): Promise<RedirectedUsb> {
  const path = machine.socketPath(`redir-${name}`)
  const server = createServer()
  server.listen(path)
  await once(server, 'listening')
  const connected = once(server, 'connection') as Promise<[Socket]>
  const { execute } = machine.qmp
  const data = { server: false, addr: { type: 'unix', data: { path } } }
  await execute('chardev-add', { id: `redir-${name}`, backend: { type: 'socket', data } })
  await execute('device_add', { driver: 'usb-redir', bus: 'usb.0', id: `usb-${name}`, chardev: `redir-${name}` })
  const [socket] = await connected
  const wire = new Redirection(socket, device)
  wire.plug()
  return {
    plug: () => wire.plug(),
    unplug: () => wire.unplug(),
    close: async () => {
      wire.unplug()
      const gone = machine.qmp.event('DEVICE_DELETED')
      await execute('device_del', { id: `usb-${name}` })
      // With it goes its socket.
      await gone
      server.close()
    },
  }
}

class Redirection {
  readonly #socket: Socket
  readonly #device: UsbDevice
  readonly #reading = new Map<bigint, () => void>()
  #rest: Buffer = Buffer.alloc(0)
  #plugged = false
  /** Their hello has come, which has a shorter head. */
  #greeted = false

  constructor(socket: Socket, device: UsbDevice) {
    this.#socket = socket
    this.#device = device
    socket.on('data', (piece: Buffer) => this.#take(piece))
    // The machine's end, which its process reports, breaks it off.
    socket.on('error', () => socket.destroy())
    const hello = Buffer.alloc(helloBytes)
    hello.write('fernlab tests')
    hello.writeUInt32LE(capabilities, 64)
    const head = Buffer.alloc(helloHeadBytes)
    head.writeUInt32LE(kinds.hello, 0)
    head.writeUInt32LE(helloBytes, 4)
    socket.write(Buffer.concat([head, hello]))
  }

  plug(): void {
    if (this.#plugged) return
    this.#plugged = true
    this.#send(kinds.endpointInfo, 0n, this.#endpoints())
    const info = Buffer.alloc(4 + 4 * 32)
    info.writeUInt32LE(1, 0)
    this.#device.interfaceClass.forEach((value, i) => {
      info[4 + 32 * (i + 1)] = value
    })
    this.#send(kinds.interfaceInfo, 0n, info)
    const { vendor, product } = this.#device
    const connect = Buffer.alloc(10)
    connect[0] = highSpeed
    connect.writeUInt16LE(vendor, 4)
    connect.writeUInt16LE(product, 6)
    connect.writeUInt16LE(0x0100, 8)
    this.#send(kinds.connect, 0n, connect)
  }

  unplug(): void {
    if (!this.#plugged) return
    this.#plugged = false
    this.#reading.clear()
    this.#device.reset()
    this.#send(kinds.disconnect, 0n)
  }

  /** Type, interval and interface of 16 endpoints that are written to and 16 that are read, then how large their packets are. */
  #endpoints(): Buffer {
    const info = Buffer.alloc(3 * 32 + 2 * 32)
    info.fill(invalid, 0, 32)
    const put = (address: number, kind: number, maxPacket: number) => {
      const place = (address & 0x80) / 8 + (address & 0x0f)
      info[place] = kind
      info[32 + place] = 4
      info.writeUInt16LE(maxPacket, 96 + 2 * place)
    }
    put(0, 0, 64)
    put(0x80, 0, 64)
    for (const { address, kind, maxPacket } of this.#device.endpoints) put(address, kind === 'bulk' ? 2 : 3, maxPacket)
    return info
  }

  #take(piece: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, piece])
    for (;;) {
      const begin = this.#greeted ? headBytes : helloHeadBytes
      if (this.#rest.length < begin) return
      const end = begin + this.#rest.readUInt32LE(4)
      if (this.#rest.length < end) return
      const kind = this.#rest.readUInt32LE(0)
      if (this.#greeted) this.#handle(kind, this.#rest.readBigUInt64LE(8), this.#rest.subarray(begin, end))
      this.#greeted = true
      this.#rest = this.#rest.subarray(end)
    }
  }

  #handle(kind: number, id: bigint, payload: Buffer): void {
    switch (kind) {
      case kinds.reset:
        this.#reading.clear()
        this.#device.reset()
        return
      case kinds.setConfiguration:
        this.#send(kinds.configurationStatus, id, Buffer.of(status.success, payload[0] ?? 0))
        return
      case kinds.getConfiguration:
        this.#send(kinds.configurationStatus, id, Buffer.of(status.success, 1))
        return
      case kinds.setAlternate:
      case kinds.getAlternate:
        this.#send(kinds.alternateStatus, id, Buffer.of(status.success, 0, 0))
        return
      case kinds.startInterrupt:
      case kinds.stopInterrupt:
        this.#send(kinds.interruptStatus, id, Buffer.of(status.success, payload[0] ?? 0))
        return
      case kinds.cancel:
        this.#reading.get(id)?.()
        return
      case kinds.control:
        this.#control(id, payload)
        return
      case kinds.bulk:
        this.#bulk(id, payload)
        return
    }
  }

  #control(id: bigint, payload: Buffer): void {
    const head = Buffer.from(payload.subarray(0, 10))
    const [, request = 0, type = 0] = head
    const length = head.readUInt16LE(8)
    const asked = { type, request, value: head.readUInt16LE(4), index: head.readUInt16LE(6), length }
    const answer = this.#device.control(asked)?.subarray(0, length)
    head[3] = answer === undefined ? status.stall : status.success
    head.writeUInt16LE(answer?.length ?? 0, 8)
    this.#send(kinds.control, id, head, answer)
  }

  #bulk(id: bigint, payload: Buffer): void {
    const head = Buffer.from(payload.subarray(0, bulkBytes))
    const endpoint = head[0] ?? 0
    const length = head.readUInt16LE(2) + head.readUInt16LE(8) * 0x10000
    const answer = (how: number, went: number, bytes?: Buffer) => {
      head[1] = how
      head.writeUInt16LE(went & 0xffff, 2)
      head.writeUInt16LE(went >>> 16, 8)
      this.#send(kinds.bulk, id, head, bytes)
    }
    if ((endpoint & 0x80) === 0) {
      this.#device.write(endpoint, Buffer.from(payload.subarray(bulkBytes)))
      answer(status.success, length)
      return
    }
    let cancel = () => {}
    this.#reading.set(id, () => {
      this.#reading.delete(id)
      cancel()
      answer(status.cancelled, 0)
    })
    cancel = this.#device.read(endpoint, length, (bytes) => {
      if (this.#reading.delete(id)) answer(status.success, bytes.length, bytes)
    })
  }

  #send(kind: number, id: bigint, payload: Buffer = Buffer.alloc(0), bytes: Buffer = Buffer.alloc(0)): void {
    const head = Buffer.alloc(headBytes)
    head.writeUInt32LE(kind, 0)
    head.writeUInt32LE(payload.length + bytes.length, 4)
    head.writeBigUInt64LE(id, 8)
    this.#socket.write(Buffer.concat([head, payload, bytes]))
  }
}
