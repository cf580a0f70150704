import { nodeCredentialSchema } from '@fernlab/shared/contracts/api'
import { authorityHint, createFetch, redirectedTo } from '@fernlab/shared/links/trusting-fetch'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { NodeSettings } from './settings.ts'

export interface EnrollOptions {
  /** Where the hub's page is: `https://lab.example.edu`. */
  readonly hubUrl: string
  readonly code: string
  readonly node: string
  readonly settings: SettingsFile<NodeSettings>
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string | undefined
  readonly timeoutMs?: number
}

/** Trades a one-time code for the node's credential and keeps it; rejects with what the hub said. */
export async function enroll({
  hubUrl,
  code,
  node,
  settings,
  ca,
  timeoutMs = 15_000,
}: EnrollOptions): Promise<{ node: string; site: string }> {
  const address = new URL('/api/v1/nodes/enroll', hubUrl)
  let response: Response
  try {
    response = await createFetch(ca)(address, {
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
      message: `the hub at ${address.origin} does not answer: ${authorityHint(cause) ?? (cause instanceof Error ? cause.message : String(cause))}`,
      cause,
    })
  }
  const elsewhere = redirectedTo(response, address)
  if (elsewhere !== undefined) {
    throw new LabError({
      code: 'hub-elsewhere',
      kind: 'caller',
      message: `the hub at ${address.origin} is reached at ${elsewhere}: give that address instead`,
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
    Object.assign(data, { node: answer.data.node, site, username, password, mqttUrl: mqtt[0], hubUrl: address.origin })
  })
  return { node: answer.data.node, site }
}
