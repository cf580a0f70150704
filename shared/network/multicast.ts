/** Multicast DNS on one interface of this machine. */
import { networkInterfaces } from 'node:os'
import { LabError } from '../primitives/lab-error.ts'
import type { DnsQuestion, DnsRecord } from './dns-sd.ts'

export interface Multicast {
  /** Rejects where the network takes nothing. */
  ask(questions: readonly DnsQuestion[]): Promise<void>
  tell(answers: readonly DnsRecord[], additionals?: readonly DnsRecord[]): Promise<void>
  close(): Promise<void>
}

export interface MulticastOptions {
  /** The address of this machine there, IPv4. */
  readonly at: string
  readonly onAsked?: (questions: readonly DnsQuestion[]) => void
  readonly onTold?: (records: readonly DnsRecord[]) => void
}

/** Joins those who hear each other there; rejects with `multicast-unavailable`. */
export async function openMulticast({ at, onAsked, onTold }: MulticastOptions): Promise<Multicast> {
  const multicastDns = await load()
  // Bound to one address a socket would hear nothing that is sent to all.
  const socket = multicastDns({ interface: at, bind: '0.0.0.0' })
  const close = () => new Promise<void>((done) => socket.destroy(done))
  try {
    await new Promise<void>((done, reject) => {
      // Errors later on come to who sends.
      socket.on('error', (cause: Error) => reject(unavailable(at, cause)))
      socket.once('warning', (cause: Error) => reject(unavailable(at, cause)))
      socket.once('ready', done)
    })
  } catch (error) {
    await close()
    throw error
  }
  socket.on('query', ({ questions = [] }: { questions?: DnsQuestion[] }) => onAsked?.(questions))
  socket.on('response', ({ answers = [], additionals = [] }: { answers?: DnsRecord[]; additionals?: DnsRecord[] }) =>
    onTold?.([...answers, ...additionals]),
  )
  const sent = (send: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((done, reject) => send((error) => (error ? reject(unavailable(at, error)) : done())))
  return {
    ask: (questions) => sent((done) => socket.query({ questions: [...questions] }, done)),
    tell: (answers, additionals = []) =>
      sent((done) => socket.respond({ answers: [...answers], additionals: [...additionals] }, done)),
    close,
  }
}

/** The IPv4 addresses of this machine, one an interface, that of the machine alone last. */
export function multicastAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((given = []) => {
    const first = given.find(({ family }) => family === 'IPv4')
    return first === undefined ? [] : [first]
  })
  const own = (internal: boolean) => all.filter((one) => one.internal === internal).map(({ address }) => address)
  return [...own(false), ...own(true)]
}

async function load() {
  try {
    return (await import('multicast-dns')).default
  } catch (cause) {
    throw unavailable('all', cause as Error)
  }
}

const unavailable = (at: string, cause: Error) =>
  new LabError({
    code: 'multicast-unavailable',
    kind: 'link',
    retry: 'later',
    message: `multicast DNS can't be had at ${at}: ${cause.message}`,
    cause,
  })
