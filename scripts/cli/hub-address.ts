import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readAuthority } from '@fernlab/shared/programs/authority'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import { readSettings } from './client-settings.ts'
import { misspelt, mistake } from './problem.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A hub and the right to use it. */
export interface HubAccess {
  /** Without a slash at the end. */
  readonly url: string
  readonly token?: string
  /** Of a sign-in, instead of a token. */
  readonly cookie?: string
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
}

interface Named {
  readonly hub?: string
  readonly token?: string
}

/**
 * The hub's address: `--hub`, FERNLAB_HUB, FERNLAB_PUBLIC_URL, the hub that runs on this machine's data folder, the hub
 * that was logged in to last, then the default port.
 */
export async function hubAddress(env: Environment, options: Named = {}): Promise<string> {
  return tidyUrl(
    options.hub ??
      env.FERNLAB_HUB ??
      env.FERNLAB_PUBLIC_URL ??
      (await runningHub(env)) ??
      (await readSettings(env)).hub ??
      `http://127.0.0.1:${env.FERNLAB_PORT ?? '8080'}`,
  )
}

/** The hub and the token for it: `--token`, FERNLAB_TOKEN, the one kept for that hub, or FERNLAB_ADMIN_TOKEN. */
export async function findHub(env: Environment, options: Named = {}): Promise<HubAccess> {
  const url = await hubAddress(env, options)
  const own = options.token ?? env.FERNLAB_TOKEN ?? (await readSettings(env)).tokens[url]
  const token = own ?? (await adminToken(env, url))
  const access = await accessTo(env, url)
  return token === undefined ? access : { ...access, token }
}

/** A hub, for nobody yet; trusts the authority that FERNLAB_TLS_CA names. */
export async function accessTo(env: Environment, url: string): Promise<HubAccess> {
  const ca = await readAuthority(env.FERNLAB_TLS_CA || undefined)
  return ca === undefined ? { url } : { url, ca }
}

/** It opens everything, so it goes to the hub beside it, or over a connection that nobody listens in on. */
async function adminToken(env: Environment, url: string): Promise<string | undefined> {
  const token = env.FERNLAB_ADMIN_TOKEN || undefined
  const { protocol, hostname } = new URL(url)
  if (token === undefined || protocol === 'https:' || isLoopback(hostname)) return token
  const running = await runningHub(env)
  if (running !== undefined && tidyUrl(running) === url) return token
  throw mistake(
    'admin-token-readable',
    `FERNLAB_ADMIN_TOKEN is not sent to ${url}, where it could be read on the way`,
    'Use https, or give a token of your own with --token or FERNLAB_TOKEN.',
  )
}

/** An http(s) address without a slash at the end; anything else is refused. */
export function tidyUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw misspelt('hub-address', `"${text}" is not an address`, 'Give one such as http://127.0.0.1:8080.')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw misspelt('hub-address', `"${text}" is not an http or https address`)
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
