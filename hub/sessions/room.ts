/**
 * Those who are on the WebSocket of one session.
 *
 * INVARIANTS: one person has the controls, the owner unless they were given to somebody who is there; they change hands
 * within one turn of the event loop; a viewer who takes less than comes gets the newest values alone, and never more than
 * `MOST_BACKLOG` waits for one viewer; nobody waits for another.
 */
import type { LiveNotification, LiveParams } from '@fernlab/shared/contracts/sessions'
import type { SessionSamples } from '@fernlab/shared/contracts/sync'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { rpcNotification } from '@fernlab/shared/rpc/envelope'
import type { SessionPlace } from './place.ts'

export interface RoomPerson {
  readonly id: string
  readonly name: string
}

/** One connection of somebody. */
export interface Viewer {
  readonly person: RoomPerson
  readonly place: SessionPlace
  send(text: string): void
  /** Bytes that the connection has not taken. */
  readonly backlog: number
  /** Gives the connection up: it takes too little. */
  drop(): void
}

export interface Room {
  readonly viewers: ReadonlySet<Viewer>
  /** Who has the controls. */
  readonly control: RoomPerson
  enter(viewer: Viewer): void
  leave(viewer: Viewer): void
  tell<Name extends LiveNotification>(name: Name, params: LiveParams<Name>): void
  /** An answer to one of them. */
  answer(viewer: Viewer, text: string): void
  samples(samples: SessionSamples, secondsLeft: number | undefined): void
  /** Throws `not-in-control` for whoever has not the controls. */
  requireControl(person: RoomPerson): void
  /** By the one who has them or the owner, to somebody who is there to take part; throws `not-in-control`, `person-not-here`. */
  giveControl(by: RoomPerson, to: string): void
}

/** Above this a viewer gets the newest values alone. */
const SLOW_BACKLOG = 64 * 1024
const MOST_BACKLOG = 1024 * 1024

/** The room of a session. */
export function createRoom(owner: RoomPerson): Room {
  const viewers = new Set<Viewer>()
  /** What slow viewers are owed: the newest value of each signal. */
  const owed = new Map<Viewer, SessionSamples>()
  let control = owner

  const send = (viewer: Viewer, text: string) => {
    if (viewer.backlog > MOST_BACKLOG) viewer.drop()
    else viewer.send(text)
  }
  const tell: Room['tell'] = (name, params) => {
    const text = rpcNotification(name, params)
    for (const viewer of viewers) send(viewer, text)
  }
  const tellPeople = () => {
    const people = new Map([...viewers].map(({ person, place }) => [person.id, { ...person, role: place }]))
    tell('people', { people: [...people.values()], control })
  }

  return {
    viewers,
    get control() {
      return control
    },
    enter: (viewer) => {
      viewers.add(viewer)
      tellPeople()
    },
    leave: (viewer) => {
      if (!viewers.delete(viewer)) return
      owed.delete(viewer)
      const stays = [...viewers].some(({ person }) => person.id === viewer.person.id)
      if (!stays && control.id === viewer.person.id) control = owner
      tellPeople()
    },
    tell,
    answer: send,
    samples: (samples, secondsLeft) => {
      const rest = secondsLeft === undefined ? {} : { secondsLeft }
      let text: string | undefined
      for (const viewer of viewers) {
        if (viewer.backlog > SLOW_BACKLOG) {
          owed.set(viewer, newest(owed.get(viewer), samples))
          continue
        }
        const late = owed.get(viewer)
        if (late !== undefined) {
          owed.delete(viewer)
          viewer.send(rpcNotification('samples', { ...rest, samples: newest(late, samples) }))
          continue
        }
        text ??= rpcNotification('samples', { ...rest, samples })
        viewer.send(text)
      }
    },
    requireControl: (person) => {
      if (person.id === control.id) return
      throw new LabError({
        code: 'not-in-control',
        kind: 'caller',
        message: `${control.name} has the controls`,
        studentMessage: `${control.name} has the controls. Ask for them.`,
      })
    },
    giveControl: (by, to) => {
      if (by.id !== control.id && by.id !== owner.id) {
        throw new LabError({
          code: 'not-in-control',
          kind: 'caller',
          message: `the controls are ${control.name}'s: only they and the owner can give them`,
        })
      }
      const found =
        to === owner.id
          ? owner
          : [...viewers].find(({ person, place }) => person.id === to && place !== 'observer')?.person
      if (found === undefined) {
        throw new LabError({
          code: 'person-not-here',
          kind: 'caller',
          message: 'the controls can only go to somebody who takes part and is here',
        })
      }
      control = found
      tellPeople()
    },
  }
}

/** The newest value of each signal. */
function newest(before: SessionSamples | undefined, samples: SessionSamples): SessionSamples {
  const all: SessionSamples = { ...before }
  for (const [key, { unit, time, values }] of Object.entries(samples)) {
    all[key] = { unit, time: time.slice(-1), values: values.slice(-1) }
  }
  return all
}
