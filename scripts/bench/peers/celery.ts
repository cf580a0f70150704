/** Celery 5 with RabbitMQ, both Debian's: two worker processes (prefork), a task that does nothing, results by rpc://. */
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench, Started } from '../framework/surroundings.ts'
import { startRabbitMq } from './rabbitmq.ts'

const python = '/usr/bin/python3'

export interface Celery {
  /** Keeps `inFlight` tasks going until `tasks` are done; times in ms, from before `delay()` until after `get()`. */
  load(tasks: number, inFlight: number): Promise<{ elapsedMs: number; timesMs: number[] }>
  close(): Promise<void>
}

/** Starts broker, worker and client; resolves after a first task came back. */
export async function startCelery(bench: Bench): Promise<Celery> {
  const rabbit = await startRabbitMq(bench)
  const folder = join(bench.root, 'scripts/bench/peers')
  const env = { BENCH_AMQP: rabbit.url, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' }
  const worker = bench.start(
    python,
    ['-m', 'celery', '-A', 'tasks', 'worker', '--pool', 'prefork', '--concurrency', '2', '--loglevel', 'WARNING'],
    { log: 'celery-worker.log', cwd: bench.work, env: { ...env, C_FORCE_ROOT: '1' } },
  )
  const client = bench.start(python, [join(folder, 'load.py')], { log: 'celery-client.log', cwd: bench.work, env })
  const load = loadThrough(client)
  const close = async () => {
    await client.end()
    await worker.end()
    await rabbit.close()
  }
  try {
    await load(20, 1)
  } catch (error) {
    await close()
    throw error
  }
  return { load, close }
}

function loadThrough(client: Started): Celery['load'] {
  const { stdin, stdout } = client.process
  if (stdin === null || stdout === null) {
    throw new LabError({ code: 'peer-failed', kind: 'bug', message: 'no pipe to load.py' })
  }
  const lines = createInterface({ input: stdout })
  return async (tasks, inFlight) => {
    const answered = once(lines, 'line') as Promise<[string]>
    stdin.write(`${JSON.stringify({ tasks, in_flight: inFlight })}\n`)
    const failed = client.ended.then((how): never => {
      throw new LabError({ code: 'peer-failed', kind: 'link', message: `the Celery client ended (${how})` })
    })
    const [line] = await Promise.race([answered, failed])
    return JSON.parse(line)
  }
}
