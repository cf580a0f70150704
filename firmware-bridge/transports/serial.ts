/** Bytes over a serial port or a pty, by node-serialport, which is loaded when the first port is opened. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { noticeHangUp } from './hang-up.ts'
import { closeWhenIdle } from './let-go.ts'
import { changingPorts, type PolledPort } from './polled-ports.ts'
import { portError } from './serial-ports.ts'
import type { Transport, TransportConfig } from './transport.ts'

type SerialConfig = Extract<TransportConfig, { kind: 'serial' }>

/** Opens and locks the port; rejects with `transport-unreachable`, or `serialport-missing` where the package is not installed. */
export async function openSerial(config: SerialConfig, signal: AbortSignal): Promise<Transport> {
  signal.throwIfAborted()
  const { SerialPort } = await loadSerialport()
  const options = {
    // Its type leaves the binding out, yet it takes one.
    binding: changingPorts(SerialPort.binding, mendPort),
    path: config.path,
    baudRate: config.baudRate,
    dataBits: config.dataBits,
    parity: config.parity,
    stopBits: config.stopBits,
    rtscts: config.flowControl === 'rtscts',
    xon: config.flowControl === 'xonxoff',
    xoff: config.flowControl === 'xonxoff',
    autoOpen: false,
  }
  const port = new SerialPort(options)
  const refused = await new Promise<Error | undefined>((resolve) => {
    port.open((error) => resolve(error ?? undefined))
  })
  if (refused !== undefined) throw await portError(config.path, refused)
  let closing = false
  const close = async () => {
    closing = true
    if (!port.isOpen) return
    await new Promise<void>((resolve) => port.close(() => resolve()))
  }
  if (signal.aborted) {
    await close()
    throw signal.reason
  }
  port.on('error', () => {
    // The reason comes with `close`, which follows.
  })
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        port.write(bytes, undefined, (error) => (error ? reject(closed(config, error)) : resolve()))
      }),
    onData: (listener) => {
      port.on('data', (bytes: Buffer) => listener(bytes))
    },
    onClose: (listener) => {
      port.once('close', (error: Error | null) => {
        listener(closing ? undefined : closed(config, error ?? undefined))
      })
    },
    setLines: (lines) =>
      new Promise((resolve, reject) => {
        port.set(lines, (error) => (error ? reject(linesRefused(config, error)) : resolve()))
      }),
    setBaudRate: (baudRate) =>
      new Promise((resolve, reject) => {
        port.update({ baudRate }, (error) => (error ? reject(closed(config, error)) : resolve()))
      }),
    close,
  }
}

/** What the library gets wrong about the ends of lines. */
function mendPort(port: PolledPort): void {
  noticeHangUp(port)
  closeWhenIdle(port)
}

async function loadSerialport(): Promise<typeof import('serialport')> {
  try {
    return await import('serialport')
  } catch (cause) {
    throw new LabError({
      code: 'serialport-missing',
      kind: 'configuration',
      message:
        'serial instruments need the package serialport, which is not installed here; run npm install with optional packages',
      cause,
    })
  }
}

function linesRefused({ path }: SerialConfig, cause: Error): LabError {
  return new LabError({
    code: 'modem-lines-refused',
    kind: 'link',
    message: `${path} has no modem lines to set (${cause.message}); a board there can not be reset from here`,
    details: { path },
    cause,
  })
}

/** A port that is gone answers a call with the kernel's own error (EIO, ENXIO, ENODEV), whichever comes first. */
function closed({ path }: SerialConfig, cause: Error | undefined): LabError {
  if (cause instanceof LabError) return cause
  return new LabError({
    code: 'transport-closed',
    kind: 'link',
    retry: 'later',
    message: `${path} closed${cause === undefined ? '' : ` (${cause.message})`}`,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
