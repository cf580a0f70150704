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
import type { PolledPort } from './polled-ports.ts'

const readBytes = promisify(read)

/** Lets the port end with an error when its terminal is hung up. */
export function noticeHangUp(port: PolledPort): void {
  port.read = (buffer, offset, length) => readSome(port, buffer, offset, length)
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
