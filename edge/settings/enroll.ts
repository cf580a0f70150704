import { nodeCredentialSchema } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { NodeSettings } from './settings.ts'

export interface EnrollOptions {
  /** Where the hub's page is: `https://lab.example.edu`. */
  readonly hubUrl: string
  readonly code: string
  readonly node: string
  readonly settings: SettingsFile<NodeSettings>
  readonly timeoutMs?: number
}

/** Trades a one-time code for the node's credential and keeps it; rejects with what the hub said. */
export async function enroll({
  hubUrl,
  code,
  node,
  settings,
  timeoutMs = 15_000,
}: EnrollOptions): Promise<{ node: string; site: string }> {
  const address = new URL('/api/v1/nodes/enroll', hubUrl)
  let response: Response
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, node }),
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (cause) {
    throw new LabError({
      code: 'hub-unreachable',
      kind: 'link',
      retry: 'later',
      message: `the hub at ${address.origin} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    })
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) {
    const { detail, title } = (body ?? {}) as { detail?: string; title?: string }
    throw new LabError({
      code: 'enrolment-refused',
      kind: 'caller',
      message: `the hub refused the enrolment: ${detail ?? title ?? `status ${response.status}`}`,
    })
  }
  const answer = nodeCredentialSchema.safeParse(body)
  if (!answer.success) {
    throw new LabError({
      code: 'enrolment-unreadable',
      kind: 'link',
      message: `${address.origin} does not answer like a Fernlab hub`,
    })
  }
  const { site, username, password, mqtt } = answer.data
  await settings.update((data) => {
    Object.assign(data, { node: answer.data.node, site, username, password, mqttUrl: mqtt[0] })
  })
  return { node: answer.data.node, site }
}
