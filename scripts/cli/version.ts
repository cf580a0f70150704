import { readFile } from 'node:fs/promises'

/** The version of this program: that of the package this file is in, compiled or not. */
export async function ownVersion(): Promise<string> {
  for (const up of ['..', '../..']) {
    const text = await readFile(new URL(`${up}/package.json`, import.meta.url), 'utf8').catch(() => undefined)
    const version = text === undefined ? undefined : (JSON.parse(text) as { version?: string }).version
    if (version !== undefined) return version
  }
  return 'unknown'
}
