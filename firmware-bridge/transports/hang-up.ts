/**
 * Serial ports that notice when the other end is gone.
 *
 * A terminal that was hung up (a cable pulled, a pty whose master died) reads as 0 bytes, at once and for ever (tty_io.c,
 * hung_up_tty_read). The binding takes that for "nothing yet" and reads again, so that a core is busy and no `close`
 * comes (serialport/bindings-cpp issue 162). A port is opened with VMIN 1 and without waiting, so "nothing yet" is
 * EAGAIN there, and 0 bytes can only be the end.
 */
import { read } from 'node:fs'
import { promisify } from 'node:util'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SerialPort } from 'serialport'

type Binding = (typeof SerialPort)['binding']
type Port = Awaited<ReturnType<Binding['open']>>
type PolledPort = Extract<Port, { poller: unknown }>

const readBytes = promisify(read)

/** The same binding, whose ports end with an error when their terminal is hung up; where nothing is polled (Windows) it is left as it is. */
export function noticingHangUp(binding: Binding): Binding {
  const open = binding.open.bind(binding) as (options: Parameters<Binding['open']>[0]) => Promise<Port>
  return {
    list: () => binding.list(),
    open: async (options: Parameters<Binding['open']>[0]) => {
      const port = await open(options)
      if ('poller' in port) port.read = (buffer, offset, length) => readSome(port, buffer, offset, length)
      return port
    },
  } as Binding
}

async function readSome(port: PolledPort, buffer: Buffer, offset: number, length: number) {
  while (port.fd !== null) {
    try {
      const { bytesRead } = await readBytes(port.fd, buffer, offset, length, null)
      if (bytesRead === 0) throw ended('the line was hung up')
      return { bytesRead, buffer }
    } catch (error) {
      if (!isNothingYet(error)) throw error
    }
    if (port.isOpen) await untilReadable(port)
  }
  throw Object.assign(ended('the port is closed'), { canceled: true })
}

function ended(message: string): LabError {
  return new LabError({ code: 'transport-closed', kind: 'link', retry: 'later', message })
}

function isNothingYet(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR'
}

/** Rejects when the port is closed meanwhile; must not be called after that, for then its handle is gone. */
function untilReadable({ poller }: PolledPort): Promise<void> {
  return new Promise((resolve, reject) => {
    poller.once('readable', (error) => (error ? reject(error) : resolve()))
  })
}
