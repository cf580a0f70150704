/** The program picotool, which reaches a Pico in its boot loader over USB, and one that runs firmware of Raspberry Pi's SDK. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Said {
  readonly code: number | null
  readonly text: string
}

/** Runs it, and ends it at the signal; undefined where it is not installed. */
export async function picotool(
  args: readonly string[],
  signal: AbortSignal,
  onText: (text: string) => void = () => {},
): Promise<Said | undefined> {
  signal.throwIfAborted()
  const child = spawn('picotool', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more
      onText(text)
    })
  const code = await new Promise<number | null | undefined>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) =>
      cause.code === 'ENOENT' ? resolve(undefined) : reject(cause),
    )
    child.once('close', resolve)
  }).finally(() => signal.removeEventListener('abort', kill))
  signal.throwIfAborted()
  return code === undefined ? undefined : { code, text }
}

/** Gives a file of that content to the work. */
export async function withFile<T>(content: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-flash-'))
  try {
    const path = join(folder, 'firmware.uf2')
    await writeFile(path, content)
    return await work(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
