/** The thread in which a list of people is read; it hands them over in slices, one for each time it is asked. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ListRequest } from './people-list.ts'
import { readPeople } from './read-people.ts'

const SLICE = 500

const { csv, role, groups } = workerData as ListRequest
const { people, issues } = readPeople(csv, role, groups)
let at = 0
parentPort?.on('message', () => {
  parentPort?.postMessage({ people: people.slice(at, at + SLICE), of: people.length, issues: at === 0 ? issues : [] })
  at += SLICE
})
