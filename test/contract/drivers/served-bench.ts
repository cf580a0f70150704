/** Starts `serve-emulated.ts` as a process of its own. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Fault } from '@fernlab/firmware-bridge/emulated/wire-device'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface ServedBench {
  /** Where each instrument is, as in node.yaml. */
  readonly transports: Readonly<Record<string, Record<string, unknown>>>
  setFault(device: string, fault: Fault | undefined): Promise<void>
  hangUp(device: string): void
  stop(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('../../../firmware-bridge/emulated/serve-emulated.ts', import.meta.url))

/** Resolves when all instruments can be opened; `where` maps each to `pty:PATH` or `tcp:HOST:PORT`. */
export async function serveBench(world: string, where: Readonly<Record<string, string>>): Promise<ServedBench> {
  const places = Object.entries(where).map(([device, place]) => `${device}=${place}`)
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', SCRIPT, '--world', world, ...places],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async () => {
    const { value, done } = await lines.next()
    if (done) throw new LabError({ code: 'bench-ended', kind: 'bug', message: 'the served bench ended' })
    return JSON.parse(value) as { device: string; transport: Record<string, unknown> }
  }
  const transports: Record<string, Record<string, unknown>> = {}
  for (const _ of places) {
    const { device, transport } = await nextLine()
    transports[device] = transport
  }
  return {
    transports,
    setFault: async (device, fault) => {
      child.stdin.write(`${JSON.stringify({ device, fault })}\n`)
      await nextLine()
    },
    hangUp: (device) => {
      child.stdin.write(`${JSON.stringify({ device, hangUp: true })}\n`)
    },
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}
