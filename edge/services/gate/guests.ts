/**
 * Connections of clients that have not signed in, and how many have.
 *
 * INVARIANTS: whoever has signed in keeps the place, whatever comes; of those who have not there are at most `mostGuests`,
 * and where one more comes, the oldest of the address that has the most goes: nobody takes the places of other addresses.
 */
import { isIPv6 } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface GuestsOptions {
  /** Who have signed in, at most. */
  readonly clients: number
  readonly mostGuests: number
}

export interface Guest {
  /** It has signed in; throws `too-many-clients` where there is no place, and it stays a guest. */
  enter(): void
  /** It is gone. */
  left(): void
  /** What is to be done where it has to make room; it counts no more then. */
  onLeave: () => void
}

interface Place extends Guest {
  readonly address: string
}

export class Guests {
  readonly #options: GuestsOptions
  /** The oldest first. */
  readonly #byAddress = new Map<string, Set<Place>>()
  #guests = 0
  #clients = 0

  constructor(options: GuestsOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    return this.#clients >= this.#options.clients
  }

  /** One comes from the address of its connection. */
  come(remoteAddress: string): Guest {
    const address = networkOf(remoteAddress)
    let isClient = false
    const place: Place = {
      address,
      onLeave: () => {},
      enter: () => {
        if (isClient) return
        if (this.isFull) throw tooManyClients(this.#options.clients)
        this.#forget(place)
        isClient = true
        this.#clients++
      },
      left: () => {
        if (isClient) this.#clients--
        isClient = false
        this.#forget(place)
      },
    }
    const others = this.#byAddress.get(address)
    if (others === undefined) this.#byAddress.set(address, new Set([place]))
    else others.add(place)
    this.#guests++
    if (this.#guests > this.#options.mostGuests) this.#makeRoom()
    return place
  }

  #makeRoom(): void {
    let most: Set<Place> | undefined
    for (const places of this.#byAddress.values()) if (places.size > (most?.size ?? 0)) most = places
    const [oldest] = most ?? []
    if (oldest === undefined) return
    this.#forget(oldest)
    oldest.onLeave()
  }

  #forget(place: Place): void {
    const places = this.#byAddress.get(place.address)
    if (places?.delete(place) !== true) return
    this.#guests--
    if (places.size === 0) this.#byAddress.delete(place.address)
  }
}

/** Of IPv6 the first 64 bits, which one machine may have whole. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = head.split(':').filter((group) => group !== '')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const after = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0')
  return [...groups, ...zeros, ...after].slice(0, 4).join(':')
}

export const tooManyClients = (clients: number): LabError =>
  new LabError({
    code: 'too-many-clients',
    kind: 'link',
    retry: 'later',
    message: `this node has ${clients} clients already, and takes no more`,
  })

export const tooManyUnsigned = (): LabError =>
  new LabError({
    code: 'too-many-unsigned',
    kind: 'link',
    retry: 'later',
    message: 'too many links of this address have not signed in, and others came: sign in sooner',
  })
