/**
 * A tool that holds a line for as long as it runs.
 *
 * INVARIANTS: it never outlives the node, however that ends (`setpriv --pdeathsig`); it is ended within 0.7 s.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { inheritedEnv } from '../../child-group.ts'
import { gpioError, systemCode } from '../gpio-errors.ts'

export interface HeldToolOptions {
  readonly command: readonly string[]
  readonly onLine: (text: string) => void
  /** It ended by itself; with what it said last. */
  readonly onEnd: (reason: LabError) => void
}

export interface HeldTool {
  /** Aborts when it has ended by itself. */
  readonly ended: AbortSignal
  stop(): Promise<void>
}

const TERM_MS = 500
const SAID_BYTES = 2000

export function holdTool({ command, onLine, onEnd }: HeldToolOptions): HeldTool {
  const [tool = ''] = command
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: inheritedEnv(),
  })
  const ended = new AbortController()
  let stopping = false
  let said = ''
  createInterface({ input: child.stdout }).on('line', onLine)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_BYTES)
  })
  const end = (how: string) => {
    if (ended.signal.aborted) return
    const reason = toolFailed(tool, said.trim() === '' ? how : said.trim())
    ended.abort(reason)
    if (!stopping) onEnd(reason)
  }
  child.on('error', (error) =>
    end(systemCode(error) === 'ENOENT' ? 'setpriv is not here: sudo apt install util-linux' : error.message),
  )
  child.on('close', (code, signal) => end(`it ended with ${signal ?? `status ${code}`}`))
  return {
    ended: ended.signal,
    stop: async () => {
      stopping = true
      await endChild(child, ended.signal)
    },
  }
}

async function endChild(child: ChildProcess, ended: AbortSignal): Promise<void> {
  if (ended.aborted) return
  await new Promise<void>((resolve) => {
    const hard = setTimeout(() => child.kill('SIGKILL'), TERM_MS)
    ended.addEventListener('abort', () => {
      clearTimeout(hard)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

export function toolFailed(tool: string, said: string): LabError {
  return gpioError('gpio-tool-failed', `${tool} failed: ${said}`)
}
