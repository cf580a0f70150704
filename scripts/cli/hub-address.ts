import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from './client-settings.ts'
import { mistake } from './problem.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A hub and the right to use it. */
export interface HubAccess {
  /** Without a slash at the end. */
  readonly url: string
  readonly token?: string
}

/**
 * Finds the hub: `--hub`, FERNLAB_HUB, FERNLAB_PUBLIC_URL, the hub that runs on this machine's data folder, the hub that
 * was logged in to last, then the default port. The token: `--token`, FERNLAB_TOKEN, or the one kept for that hub.
 */
export async function findHub(env: Environment, options: { hub?: string; token?: string } = {}): Promise<HubAccess> {
  const settings = await readSettings(env)
  const url =
    options.hub ??
    env.FERNLAB_HUB ??
    env.FERNLAB_PUBLIC_URL ??
    (await runningHub(env)) ??
    settings.hub ??
    `http://127.0.0.1:${env.FERNLAB_PORT ?? '8080'}`
  const address = tidyUrl(url)
  const token = options.token ?? env.FERNLAB_TOKEN ?? settings.tokens[address] ?? env.FERNLAB_ADMIN_TOKEN
  return token === undefined ? { url: address } : { url: address, token }
}

/** An http(s) address without a slash at the end; anything else is refused. */
export function tidyUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw mistake('hub-address', `"${text}" is not an address`, 'Give one such as http://127.0.0.1:8080.')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw mistake('hub-address', `"${text}" is not an http or https address`)
  }
  return url.href.replace(/\/+$/, '')
}

/** The address of the hub that runs on the environment's data folder, if one does. */
export async function runningHub(env: Environment): Promise<string | undefined> {
  const path = join(env.FERNLAB_DATA ?? './data', 'endpoints.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const { http } = JSON.parse(text) as { http?: string }
  return http
}
