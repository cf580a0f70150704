/** What is used of the package. */
declare module 'multicast-dns' {
  import type { EventEmitter } from 'node:events'

  interface Packet {
    questions?: { name: string; type: string }[]
    answers?: { name: string; type: string; ttl?: number; data: unknown }[]
    additionals?: { name: string; type: string; ttl?: number; data: unknown }[]
  }

  interface MulticastDns extends EventEmitter {
    query(packet: Packet, done: (error?: Error | null) => void): void
    respond(packet: Packet, done: (error?: Error | null) => void): void
    destroy(done: () => void): void
  }

  export default function multicastDns(options: { interface: string; bind: string }): MulticastDns
}
