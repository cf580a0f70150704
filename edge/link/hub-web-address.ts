export interface HubWebAddressOptions {
  /** `hub.web` of node.yaml. */
  readonly configured?: string | undefined
  /** The address of the broker, as this node reaches it. */
  readonly broker?: string | undefined
  /** Where this node was enrolled. */
  readonly enrolledAt?: string | undefined
  /** What the hub says of itself: how browsers reach it, which may be another name than this node's network knows. */
  readonly said: string
}

/** The WebSocket address below which the hub's web port is for this node: what the node knows goes before what it is told. */
export function hubWebAddress({ configured, broker, enrolledAt, said }: HubWebAddressOptions): string {
  const sharing = broker !== undefined && /^wss?:/.test(broker) ? broker : undefined
  const url = new URL(configured ?? sharing ?? enrolledAt ?? said)
  return `${/^(https|wss):$/.test(url.protocol) ? 'wss' : 'ws'}://${url.host}`
}
