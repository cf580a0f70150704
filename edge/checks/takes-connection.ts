import { connect } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/**
 * Resolves when a host takes a TCP connection, which is closed at once; nothing is sent. Rejects with
 * `host-unreachable`, or with the signal's reason.
 */
export async function takesConnection(host: string, port: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const socket = connect({ host, port })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', (cause) => reject(unreachable(host, port, cause)))
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  } finally {
    // What comes after the answer no longer matters.
    socket.on('error', () => {})
    socket.destroy()
  }
}

function unreachable(host: string, port: number, cause: Error & { code?: string }): LabError {
  return new LabError({
    code: 'host-unreachable',
    kind: 'link',
    retry: 'later',
    message: `${host}:${port} does not answer (${cause.code ?? cause.message})`,
    details: { host, port },
    cause,
  })
}
