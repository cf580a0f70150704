import type { Session } from '@fernlab/shared/contracts/sessions'
import { createRoom, type Room } from './room.ts'

export interface Rooms {
  /** The room of a session, made when the first comes in. */
  of(session: Pick<Session, 'id' | 'person'>): Room
  get(id: string): Room | undefined
  /** Sessions that somebody is in. */
  ids(): Iterable<string>
  /** Forgets a room that everybody has left. */
  left(id: string, room: Room): void
  /** Whether the person has the controls of the session; of one that nobody is in they are the owner's. */
  hasControl(session: Pick<Session, 'id' | 'person'>, personId: string): boolean
}

/** The rooms of the sessions that somebody is in. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Room>()
  return {
    of: ({ id, person }) => {
      let room = rooms.get(id)
      if (room === undefined) {
        room = createRoom(person)
        rooms.set(id, room)
      }
      return room
    },
    get: (id) => rooms.get(id),
    ids: () => rooms.keys(),
    left: (id, room) => {
      if (room.viewers.size === 0 && rooms.get(id) === room) rooms.delete(id)
    },
    hasControl: ({ id, person }, personId) => (rooms.get(id)?.control ?? person).id === personId,
  }
}
