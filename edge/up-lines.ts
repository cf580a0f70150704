/** What a node says to whoever has started it at a terminal. Pure. */

export interface NodeUp {
  readonly node: string
  /** Where clients come straight to it. */
  readonly addresses: readonly string[]
  /** The address of its hub's broker, where it has a hub. */
  readonly broker: string | undefined
}

/** That it is up and where, and the next step to a first call. */
export function upLines({ node, addresses, broker }: NodeUp): string[] {
  const [first] = addresses
  const up = first === undefined ? `${node} is up.` : `${node} is up at ${addresses.join(', ')}.`
  return [up, nextStep(first, broker), 'Ctrl-C stops it.']
}

function nextStep(address: string | undefined, broker: string | undefined): string {
  // The host alone: an address may have a password in it.
  if (broker !== undefined)
    return `Its hub, looked for at ${new URL(broker).host}, opens it to people: fernlab directory lists its services.`
  if (address !== undefined) {
    return `Next, a token to call its services by: fernlab node token PERSON > FILE; then fernlab directory --node ${address} --token-file FILE`
  }
  return 'It takes nobody over the network: node.yaml has no services.listen. On this machine, fernlab daemon ps lists its services.'
}
