/**
 * Calls into a process of its own: `startPart` in the benchmark, `servePart` in the process. Load generators and peers
 * run this way, so that none shares a thread with what is measured.
 */
import { join } from 'node:path'
import type { LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench, Started } from './surroundings.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}
type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: LabErrorJson })

export interface Part extends Started {
  call<T>(method: string, argument?: unknown): Promise<T>
}

export interface StartPartOptions {
  readonly log?: string
  readonly env?: Readonly<Record<string, string>>
  /** The program, when it is none of the parts: a source file of the repository that calls `servePart`. */
  readonly script?: string
  /** Arguments to Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[]
}

/** Starts `scripts/bench/parts/<name>` and resolves when it answers. */
export async function startPart(bench: Bench, name: string, options: StartPartOptions = {}): Promise<Part> {
  const program = programOf(bench, name, options.script)
  const started = bench.start(process.execPath, [...(options.nodeArgs ?? []), ...program], {
    log: options.log ?? `${name}.log`,
    env: options.env ?? {},
    ipc: true,
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let nextId = 1
  let gone: LabError | undefined
  started.process.on('message', (answer: Answer) => {
    const asker = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) asker?.reject(LabError.fromJSON(answer.error))
    else asker?.resolve(answer.result)
  })
  void started.ended.then((how) => {
    gone = new LabError({ code: 'part-ended', kind: 'bug', message: `${name} ended (${how}); see its log` })
    for (const { reject } of waiting.values()) reject(gone)
    waiting.clear()
  })
  const part: Part = {
    ...started,
    call: <T>(method: string, argument?: unknown) =>
      new Promise<T>((resolve, reject) => {
        if (gone !== undefined) return reject(gone)
        const id = nextId++
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        started.process.send({ id, method, argument } satisfies Call)
      }),
  }
  await part.call('ping')
  return part
}

function programOf(bench: Bench, name: string, script: string | undefined): string[] {
  const source = ['--import', 'tsx', '--conditions=source']
  if (script !== undefined) return [...source, join(bench.root, script)]
  if (bench.fromSource) return [...source, join(bench.root, 'scripts/bench/part.ts'), name]
  return [join(bench.root, 'scripts/dist/bench/part.js'), name]
}

export type PartMethods = Readonly<Record<string, (argument: never) => unknown>>

/** Answers calls in a part's process until its parent is gone. */
export function servePart(methods: PartMethods): void {
  const all: Record<string, (argument: never) => unknown> = { ping: () => 'pong', ...methods }
  process.on('message', (call: Call) => {
    void answer(all, call).then((reply) => process.send?.(reply))
  })
  process.on('disconnect', () => process.exit())
}

async function answer(methods: PartMethods, call: Call): Promise<Answer> {
  try {
    const method = methods[call.method]
    if (method === undefined) {
      throw new LabError({ code: 'no-such-method', kind: 'bug', message: `no method ${call.method} in this part` })
    }
    return { id: call.id, result: await method(call.argument as never) }
  } catch (error) {
    return { id: call.id, error: asLabError(error).toJSON() }
  }
}
