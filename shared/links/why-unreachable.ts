/** Why a call over the network brought no answer: `fetch` itself says no more than "fetch failed". Pure. */

interface Failure {
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** In few words: `nobody answers at lab.example.org:443`, `no machine is called lab.example.org`. */
export function whyUnreachable(url: string, thrown: unknown): string {
  const { hostname, host, port, protocol } = new URL(url)
  const at = port === '' ? `${host}:${/^(https|wss):$/.test(protocol) ? 443 : 80}` : host
  const root = rootOf(thrown)
  switch ((root as Failure | null | undefined)?.code) {
    case 'ECONNREFUSED':
      return `nobody answers at ${at}`
    case 'ENOTFOUND':
      return `no machine is called ${hostname}`
    case 'EAI_AGAIN':
      return `the name ${hostname} could not be looked up; is this machine on the network?`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `no network leads to ${hostname}`
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${at} has not answered in time`
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `${at} broke the connection off`
  }
  return root instanceof Error && root.message !== '' ? root.message : String(root)
}

/** The first cause; of several attempts, as at both addresses of one name, that of the last. */
function rootOf(thrown: unknown): unknown {
  const { cause, errors } = (thrown ?? {}) as Failure
  const under = cause ?? errors?.at(-1)
  return under === undefined ? thrown : rootOf(under)
}
