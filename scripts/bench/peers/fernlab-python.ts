/** The client for Python, in a process of its own. */
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench } from '../framework/surroundings.ts'

const python = '/usr/bin/python3'

export interface PythonLoad {
  /** A path, or `ws://…`. */
  readonly address: string
  readonly calls: number
  readonly clients: number
  /** So many calls in one batch, instead. */
  readonly batch?: number
  /** The median of so many of these. */
  readonly times?: number
  /** Without asyncio, as in a notebook. */
  readonly plain?: boolean
}

export interface PythonFigures {
  readonly callsPerS: number
  readonly p50us?: number
}

export interface PythonClient {
  load(load: PythonLoad): Promise<PythonFigures>
  end(): Promise<void>
}

export function startPython(bench: Bench, log: string): PythonClient {
  const client = bench.start(python, [join(bench.root, 'scripts/bench/peers/fernlab_load.py')], {
    log,
    cwd: bench.work,
    env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: join(bench.root, 'shared/clients/python/src') },
    pipeOutput: true,
  })
  const lines = createInterface({ input: client.process.stdout as NodeJS.ReadableStream })
  const failed = client.ended.then((how): never => {
    throw new LabError({
      code: 'peer-failed',
      kind: 'link',
      message: `the client for Python ended (${how}): see ${log}; it takes Debian's python3-cbor2 and python3-websockets`,
    })
  })
  // It ends when it is told to, which is no failure.
  failed.catch(() => {})
  return {
    load: async (load) => {
      const answered = once(lines, 'line') as Promise<[string]>
      client.process.stdin?.write(`${JSON.stringify(load)}\n`)
      const [answer] = await Promise.race([answered, failed])
      return JSON.parse(answer)
    },
    end: async () => void (await client.end()),
  }
}
