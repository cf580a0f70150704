import { authorityHint } from '@fernlab/shared/links/trusting-fetch'
import { LabError } from '@fernlab/shared/primitives/lab-error'

interface Asked {
  readonly method?: string
  readonly timeoutMs?: number
}

/** What to do about it, by the code of the error. */
const hints: Readonly<Record<string, string>> = {
  ENOTFOUND: 'No machine has that name: look for a typing mistake.',
  EAI_AGAIN: 'The name could not be looked up: is this machine on the network?',
  ENETUNREACH: 'Is this machine on the network?',
  EHOSTUNREACH: 'Is that machine on, and on the same network?',
  CERT_HAS_EXPIRED:
    'Its certificate has expired: whoever runs the hub has to renew it. The clock here may be wrong, too.',
  CERT_NOT_YET_VALID: 'Its certificate does not hold yet: look at the clock here, and at that of the hub.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another name: use the address that the hub is known by.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It speaks http there, not https.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It speaks http there, not https.',
  EPROTO: 'It speaks http there, not https, or no hub is there.',
  ECONNRESET: 'It broke the connection off. Where the hub has a certificate, its address begins with https.',
  UND_ERR_SOCKET: 'It broke the connection off. Where the hub has a certificate, its address begins with https.',
}
const nobodyThere = 'Start one with "npm start", or name another with --hub or FERNLAB_HUB.'

/** The error of a call that brought no answer: why, and what to do. */
export function unreachable(url: string, error: unknown, { method = 'GET', timeoutMs = 30_000 }: Asked): LabError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error)
  const { code } = cause as NodeJS.ErrnoException
  const isLate = cause.name === 'TimeoutError'
  const next = isLate
    ? method === 'GET'
      ? 'It may have too much to do: try again in a while.'
      : 'Whether it did what was asked is not known: look before you ask again.'
    : (authorityHint(error) ?? hints[code ?? ''] ?? nobodyThere)
  const what = isLate
    ? `the hub at ${url} has not answered within ${Math.round(timeoutMs / 1000)} s`
    : `no hub answers at ${url} (${code ?? cause.message})`
  return new LabError({
    code: 'hub-unreachable',
    kind: 'link',
    retry: 'later',
    message: `${what}\n  ${next}`,
    cause: error,
  })
}
