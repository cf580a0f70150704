/** How what a service has is named on a link. */

/** The built-in members of a service. */
export const members = {
  contract: 'contract.get',
  read: 'signals.read',
  set: 'signals.set',
  follow: 'signals.follow',
  events: 'events.follow',
} as const

/** Splits `bench3.scope/autoscale` at its last slash; undefined without one. */
export function splitMethod(method: string): { readonly service: string; readonly member: string } | undefined {
  const at = method.lastIndexOf('/')
  return at <= 0 ? undefined : { service: method.slice(0, at), member: method.slice(at + 1) }
}
