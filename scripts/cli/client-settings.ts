import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { mistake } from './problem.ts'

const settingsSchema = z.object({
  /** The hub that `fernlab login` was used on last. */
  hub: z.string().optional(),
  /** Token by hub address. */
  tokens: z.record(z.string(), z.string()).default({}),
})

export type ClientSettings = z.infer<typeof settingsSchema>

type Environment = Readonly<Record<string, string | undefined>>

/** Where the command line keeps what `fernlab login` learnt. */
export function settingsPath(env: Environment): string {
  const base = env.XDG_CONFIG_HOME ?? join(env.HOME ?? '.', '.config')
  return join(base, 'fernlab', 'client.json')
}

/** Reads the settings; without a file they are empty. */
export async function readSettings(env: Environment): Promise<ClientSettings> {
  const path = settingsPath(env)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { tokens: {} }
    throw error
  }
  const parsed = settingsSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw mistake('client-settings-unreadable', `${path} is not what fernlab writes`, 'Remove it and log in again.')
  }
  return parsed.data
}

/** Replaces the settings file; only its owner may read it. */
export async function writeSettings(env: Environment, settings: ClientSettings): Promise<void> {
  const path = settingsPath(env)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
