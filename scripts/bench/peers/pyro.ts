/** Pyro4, Debian's, with one of its safe serializers: a server and a client process of Python's own. */
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench } from '../framework/surroundings.ts'

const python = '/usr/bin/python3'

export interface PyroFigures {
  /** Not measured: it can't. */
  readonly callsPerS?: number
  readonly p50us?: number
  /** Both directions added. */
  readonly mbPerS?: number
  readonly itemsPerS?: number
  readonly ms?: number
  readonly version: string
}

export interface Pyro {
  /** Of the process that holds the object. */
  readonly pid: number
  /** `clients` proxies, each in a process of its own where there are several, share the calls. */
  load(calls: number, clients: number): Promise<PyroFigures>
  /** So many calls in one batch; the median of so many of these. */
  batch(calls: number, times: number): Promise<PyroFigures>
  /** So many bytes there and back. */
  echo(bytes: number, times: number): Promise<PyroFigures>
  stream(items: number): Promise<PyroFigures>
  /** A connection is left, and another opened for the next call. */
  again(times: number): Promise<PyroFigures>
  close(): Promise<void>
}

export interface StartPyroOptions {
  /** Those that run no code of a stranger: serpent, json, marshal, msgpack. */
  readonly serializer: string
  readonly server: 'thread' | 'multiplex'
  readonly unixSocket?: string
}

/** Resolves after a first call. */
export async function startPyro(bench: Bench, { serializer, server, unixSocket }: StartPyroOptions): Promise<Pyro> {
  const folder = join(bench.root, 'scripts/bench/peers')
  const env = { PYTHONDONTWRITEBYTECODE: '1' }
  const where = unixSocket === undefined ? [] : [unixSocket]
  const name = `pyro-${serializer}-${server}${unixSocket === undefined ? '' : '-unix'}`
  const args = [join(folder, 'pyro_server.py'), serializer, server, ...where]
  const daemon = bench.start(python, args, { log: `${name}.log`, cwd: bench.work, env, pipeOutput: true })
  const failed = daemon.ended.then((how): never => {
    throw new LabError({
      code: 'peer-failed',
      kind: 'link',
      message: `Pyro4 ended (${how}): see its log; it takes Debian's python3-pyro4 and python3-msgpack`,
    })
  })
  const [line] = await Promise.race([once(daemon.process.stdout as NodeJS.ReadableStream, 'data'), failed])
  const uri = String(line).trim()
  const client = bench.start(python, [join(folder, 'pyro_load.py')], {
    log: `${name}-client.log`,
    cwd: bench.work,
    env,
    pipeOutput: true,
  })
  const lines = createInterface({ input: client.process.stdout as NodeJS.ReadableStream })
  const clientFailed = client.ended.then((how): never => {
    throw new LabError({
      code: 'peer-failed',
      kind: 'link',
      message: `the client of Pyro4 ended (${how}): see its log`,
    })
  })
  const ask = async (request: object): Promise<PyroFigures> => {
    const answered = once(lines, 'line') as Promise<[string]>
    client.process.stdin?.write(`${JSON.stringify({ uri, serializer, ...request })}\n`)
    const [answer] = await Promise.race([answered, clientFailed])
    return JSON.parse(answer)
  }
  const pyro: Pyro = {
    pid: daemon.pid,
    load: (calls, clients) => ask({ calls, clients }),
    batch: (calls, times) => ask({ batch: calls, times }),
    echo: (bytes, times) => ask({ bytes, times }),
    stream: (items) => ask({ items }),
    again: (times) => ask({ again: times }),
    close: async () => {
      await client.end()
      await daemon.end()
    },
  }
  // Both end when they are told to, which is no failure.
  failed.catch(() => {})
  clientFailed.catch(() => {})
  try {
    await pyro.load(10, 1)
  } catch (error) {
    await pyro.close()
    throw error
  }
  return pyro
}
