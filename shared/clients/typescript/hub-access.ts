/** What a program says of its hub, before anybody is asked. Pure. */
import { LabError } from '../../primitives/lab-error.ts'

export interface HubAccess {
  readonly url: string
  readonly token: string
}

/**
 * The hub and the token as they were given. Throws `hub-missing`, `address-wrong` or `token-missing`, with what is to be given:
 * a program whose environment does not have them gets no further.
 */
export function hubAccess({ hub, token }: { readonly hub: unknown; readonly token: unknown }): HubAccess {
  if (hub === undefined || hub === null || hub === '') {
    throw wrong(
      'hub-missing',
      'no hub is named: give connect its address as hub, as FERNLAB_HUB has it where that is set',
    )
  }
  const url = typeof hub === 'string' && URL.canParse(hub) ? new URL(hub) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || typeof hub !== 'string') {
    throw wrong('address-wrong', `${JSON.stringify(hub)} is no address of a hub: http://… or https://…`)
  }
  if (typeof token !== 'string' || token === '') {
    throw wrong(
      'token-missing',
      `no token for the hub at ${url.host} is given: give connect one as token, as FERNLAB_TOKEN has it where that is set; "fernlab token create NAME --scope run" makes one`,
    )
  }
  return { url: hub, token }
}

/** Thrown at a program that names neither a hub nor a node. */
export const nobodyNamed = (): LabError =>
  wrong(
    'hub-missing',
    'connect wants to know whom to ask: hub and token (as FERNLAB_HUB and FERNLAB_TOKEN have them), or without a hub node, nodes, network or here',
  )

const wrong = (code: string, message: string): LabError => new LabError({ code, kind: 'configuration', message })
